# fadu_options: how our own code is compiled. Generated code does not link it.
option(FADU_HARDEN "Hardening flags" OFF)
option(FADU_DOMAIN_ONLY "Only common/base, common/schema and the services' domain libraries" OFF)
option(FADU_FUZZ "libFuzzer programs; clang only" OFF)
set(FADU_SANITIZE "" CACHE STRING "Sanitizers, comma-separated")

add_library(fadu_options INTERFACE)
target_compile_options(fadu_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wswitch -Werror -fno-omit-frame-pointer)
target_include_directories(fadu_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# How everything is linked and hardened, generated code too (X-23).
if(FADU_HARDEN)
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
    $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
endif()
if(FADU_SANITIZE)
  add_compile_options(-fsanitize=${FADU_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FADU_SANITIZE})
endif()
if(FADU_FUZZ)
  # Warnings are the release tree's business, and its compiler's.
  target_compile_options(fadu_options INTERFACE -Wno-error)
endif()
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
