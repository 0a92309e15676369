# Read after project(): libraries are the static ones.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
# Debian has toml++ as a shared library alone; its headers hold it as well. The package's own file defines no second target.
add_library(tomlplusplus::tomlplusplus INTERFACE IMPORTED)
