# Compiler settings shared by all targets, and the helper that declares a library.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(WK_CCACHE ccache)
if(WK_CCACHE)
  # What one build folder has compiled serves the others (release and deploy/quickstart): sources are named by absolute paths,
  # so that the folder matters to nothing that is compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${WK_CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual -Wcast-align)

set(WK_SANITIZE "" CACHE STRING "Sanitizers to build with, as in -fsanitize=, for example address,undefined")
if(WK_SANITIZE)
  add_compile_options(-fsanitize=${WK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WK_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # g++ 12 sees ghosts in what it has instrumented itself.
  endif()
  if(WK_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # Boost.Asio's fences are unknown to g++ 12's thread sanitizer; its locks are known.
  endif()
endif()

# wk_library(NAME SOURCES... DEPENDS...): one library a folder; includes are written from the root.
function(wk_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPENDS})
  endif()
endfunction()

# wk_has_coroutines(NAME): g++ 12 takes the frame allocator of an inlined coroutine for a mismatch.
function(wk_has_coroutines name)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -Wno-mismatched-new-delete)
  endif()
endfunction()

# How tests are compiled.
function(wk_test_options name)
  target_compile_definitions(${name} PRIVATE WK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE -O0)  # What is tested is optimised; to optimise the tests only takes time.
endfunction()

# wk_test(NAME SOURCES... DEPENDS...): one GoogleTest program a folder, in the ctest group "unit".
function(wk_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock GTest::gtest_main)
  wk_test_options(${name})
  target_precompile_headers(${name} REUSE_FROM wk_test_headers)
  gtest_discover_tests(${name} TEST_PREFIX "unit." PROPERTIES LABELS unit DISCOVERY_TIMEOUT 60)
endfunction()
