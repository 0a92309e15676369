# One folder under src/ = one static library target = one row of the table in docs/architecture.md.
#
#   saescope_module(<folder> DEPS <folders it may include> LIBS <private libraries> PUBLIC_LIBS <...>)
#
# Every x.cc of the folder goes into the library, every x_test.cc into the test executable
# <folder>_test. An #include of a folder that is not in DEPS stops the configuration: the table is
# enforced, not only written down.

# Every #include of a folder below `root` ("" or "folder/") in the sources of src/${place} must be of an allowed one.
function(saescope_check_includes place root)
  file(GLOB_RECURSE files ${CMAKE_SOURCE_DIR}/src/${place}/*.h ${CMAKE_SOURCE_DIR}/src/${place}/*.cc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} includes REGEX "^#include \"${root}[a-z_]+/")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE "^#include \"${root}([a-z_]+)/.*" "\\1" used "${line}")
      if(NOT used IN_LIST ARGN)
        message(FATAL_ERROR "${file}: ${line}\n  src/${place} may include only: ${ARGN}")
      endif()
    endforeach()
  endforeach()
endfunction()

# Rooms within a folder, in order: each may include itself and those before it.
#
#   saescope_rooms(<folder> <room> <room> ...)
function(saescope_rooms folder)
  foreach(room IN LISTS ARGN)
    list(APPEND allowed ${room})
    saescope_check_includes(${folder}/${room} "${folder}/" ${allowed})
  endforeach()
endfunction()

function(saescope_module folder)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS;PUBLIC_LIBS;TEST_LIBS" ${ARGN})
  saescope_check_includes(${folder} "" ${folder} ${ARG_DEPS})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/cli/(main|processor_guard)\\.cc$")

  set(public_links ${ARG_PUBLIC_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    list(APPEND public_links saescope_${dep})
  endforeach()
  if(sources)
    add_library(saescope_${folder} STATIC ${sources})
    target_include_directories(saescope_${folder} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(saescope_${folder} PUBLIC ${public_links} PRIVATE saescope_options ${ARG_LIBS})
    set_target_properties(saescope_${folder} PROPERTIES UNITY_BUILD ${SAESCOPE_UNITY} UNITY_BUILD_BATCH_SIZE 24)
  else()
    add_library(saescope_${folder} INTERFACE)
    target_include_directories(saescope_${folder} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(saescope_${folder} INTERFACE ${public_links})
  endif()

  if(tests AND SAESCOPE_TESTS)
    add_executable(${folder}_test ${tests})
    target_link_libraries(${folder}_test PRIVATE saescope_${folder} saescope_options saescope_testing
                          GTest::gmock_main ${ARG_TEST_LIBS} ${ARG_LIBS})
    target_compile_options(${folder}_test PRIVATE $<$<CONFIG:Release>:-O1>)  # tests are compiled more than run
    gtest_discover_tests(${folder}_test TEST_PREFIX "${folder}." DISCOVERY_TIMEOUT 120
                         PROPERTIES TIMEOUT 600)
  endif()
endfunction()
