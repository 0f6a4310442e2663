# The words in which Fadu's CMakeLists are written.

# fadu_library(name SOURCES a.cc b.cc DEPS x y): a static library of our code.
function(fadu_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE fadu_options)
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
endfunction()

# fadu_test(name LABEL unit SOURCES a_test.cc DEPS x): one test program with one label.
function(fadu_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} fadu_options GTest::gmock GTest::gtest_main)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "FADU_BUG_ABORT=1")
endfunction()

# fadu_embed(target file header constant): the text of `file` as a C++ constant in `header`.
function(fadu_embed target file header constant)
  set(out ${CMAKE_BINARY_DIR}/generated/${header})
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUT=${out} -DNAME=${constant}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()

# fadu_sql(target folder header namespace): every folder/sql/*.sql as a db::Statement kFileName, and
# every folder/migrations/*.sql in order as kMigrations, in `header`.
function(fadu_sql target header namespace)
  file(GLOB sql CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sql/*.sql)
  file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql)
  set(out ${CMAKE_BINARY_DIR}/generated/${header})
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DDIR=${CMAKE_CURRENT_SOURCE_DIR} -DOUT=${out} -DNAMESPACE=${namespace}
            -P ${CMAKE_SOURCE_DIR}/cmake/sql.cmake
    DEPENDS ${sql} ${migrations} ${CMAKE_SOURCE_DIR}/cmake/sql.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()

# fadu_proto_fixture(name root file): a proto that only tests link.
function(fadu_proto_fixture name root file)
  string(REGEX REPLACE "\\.proto$" "" base ${file})
  set(fixture_out ${CMAKE_BINARY_DIR}/generated/protos)
  add_custom_command(OUTPUT ${fixture_out}/${base}.pb.cc ${fixture_out}/${base}.pb.h
    COMMAND protobuf::protoc -I${CMAKE_SOURCE_DIR}/protos -I${root} --cpp_out=${fixture_out} ${file}
    DEPENDS ${root}/${file} VERBATIM)
  add_library(${name} STATIC ${fixture_out}/${base}.pb.cc)
  target_include_directories(${name} SYSTEM PUBLIC ${fixture_out})
  target_link_libraries(${name} PUBLIC common_protos)
endfunction()

# fadu_embed_all(target header constant file…): the texts of several files as constants in `header`.
function(fadu_embed_all target header)
  set(out ${CMAKE_BINARY_DIR}/generated/${header})
  string(REPLACE ";" "|" pairs "${ARGN}")
  set(files)
  set(is_file FALSE)
  foreach(word ${ARGN})
    if(is_file)
      list(APPEND files ${word})
      set(is_file FALSE)
    else()
      set(is_file TRUE)
    endif()
  endforeach()
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} "-DPAIRS=${pairs}" -DOUT=${out} -P ${CMAKE_SOURCE_DIR}/cmake/embed_all.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed_all.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
