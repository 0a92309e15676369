# Read after project(): libraries are the static ones, and no variable of glibc is accessed as if it were the program's. The linker
# would make a copy of it, and knows not of the other names that glibc has for it: the copy of environ stays empty.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
# Debian has toml++ as a shared library alone; its headers hold it as well. The package's own file defines no second target.
add_library(tomlplusplus::tomlplusplus INTERFACE IMPORTED)
