# -DIN= -DOUT= -DNAME=: writes a header with the text of IN as namespace fadu constant NAME.
file(READ ${IN} text)
file(WRITE ${OUT} "#pragma once\nnamespace fadu {\ninline constexpr char ${NAME}[] = R\"FADU(${text})FADU\";\n}  // namespace fadu\n")
