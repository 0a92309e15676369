# Builds the wheel's executable: compiled by Debian's g++ like any other build, linked by zig's linker against the symbols of
# glibc 2.28. Everything but glibc is linked statically: the libraries of tools/make_wheel_libraries.sh, Debian's static
# ones, GCC's runtimes. A symbol that glibc got later stops the link.
#
# What it needs lies in build/wheel, where tools/make_wheel.sh puts it.
set(SAESCOPE_WHEEL ${CMAKE_CURRENT_LIST_DIR}/../../build/wheel)
cmake_path(NORMAL_PATH SAESCOPE_WHEEL)

set(CMAKE_CXX_COMPILER g++)
execute_process(COMMAND g++ -print-file-name=libgomp.a OUTPUT_VARIABLE gomp OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND g++ -print-file-name=libstdc++.a OUTPUT_VARIABLE stdcxx OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND g++ -print-file-name=libgcc.a OUTPUT_VARIABLE gcc OUTPUT_STRIP_TRAILING_WHITESPACE)

# libunwind is zig's: GCC's unwinder asks a function of glibc 2.35.
set(CMAKE_CXX_LINK_EXECUTABLE
    "${SAESCOPE_WHEEL}/zig_link <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES> \
${SAESCOPE_WHEEL}/glibc_2_28.o ${stdcxx} ${gcc} -lunwind -lpthread -ldl -lm")
set(CMAKE_LINK_DEPENDS_USE_LINKER FALSE)  # zig's driver does not know the flag

list(PREPEND CMAKE_PREFIX_PATH ${SAESCOPE_WHEEL}/libraries)
set(CMAKE_PROJECT_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/static_libraries.cmake)
# What CMake would find out by linking with g++.
set(CMAKE_LIBRARY_ARCHITECTURE x86_64-linux-gnu)
set(OpenMP_CXX_FLAGS -fopenmp CACHE STRING "")
set(OpenMP_CXX_LIB_NAMES gomp CACHE STRING "")
set(OpenMP_gomp_LIBRARY ${gomp} CACHE FILEPATH "")
