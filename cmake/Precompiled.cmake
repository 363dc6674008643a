# use_precompiled_headers(<target> [TESTS] [ASIO])
#
# The headers of libraries that nearly every file reads, parsed once for all targets: two of the
# three seconds that most files take to parse. None of ours is among them, so that no file forgets
# to include what it needs of ours, and so that ccache may know the result by versions alone.
option(HIKAE_PRECOMPILE "Parse the headers of libraries once for all files" ON)

set(HIKAE_STANDARD_HEADERS
  <algorithm> <chrono> <cstdint> <deque> <functional> <map> <memory> <optional> <set> <string>
  <string_view> <tuple> <utility> <variant> <vector> <fmt/format.h> <tl/expected.hpp>)
set(HIKAE_ASIO_HEADERS
  <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
  <boost/asio/detached.hpp> <boost/asio/io_context.hpp> <boost/asio/post.hpp>
  <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>)
set(HIKAE_TEST_HEADERS <gmock/gmock.h> <gtest/gtest.h>)

# Where ccache finds <name>.pch.sum beside a precompiled header it hashes that and not the header
# itself, in which the compiler leaves the directory it was made in.
function(_write_versions target headers)
  set(sum "${CMAKE_BINARY_DIR}/${target}.versions")
  file(WRITE ${sum} "${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${CMAKE_BUILD_TYPE}\n"
    "${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES}\n"
    "Boost ${Boost_VERSION} fmt ${fmt_VERSION} expected ${tl-expected_VERSION} "
    "GTest ${GTest_VERSION}\n${headers}\n")
  configure_file(${sum}
    ${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum COPYONLY)
endfunction()

function(_add_precompiled target)
  file(WRITE ${CMAKE_BINARY_DIR}/${target}.cc "")
  add_library(${target} OBJECT ${CMAKE_BINARY_DIR}/${target}.cc)
  target_link_libraries(${target} PRIVATE fmt::fmt tl::expected)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  _write_versions(${target} "${ARGN}")
endfunction()

if(HIKAE_PRECOMPILE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # CMake's own way hides the path from ccache, which then knows no other directory's results.
    set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
  _add_precompiled(precompiled ${HIKAE_STANDARD_HEADERS})
  _add_precompiled(precompiled_asio ${HIKAE_STANDARD_HEADERS} ${HIKAE_ASIO_HEADERS})
  target_link_libraries(precompiled_asio PRIVATE hikae_asio_options)
  if(HIKAE_TESTS)
    _add_precompiled(precompiled_tests ${HIKAE_STANDARD_HEADERS} ${HIKAE_TEST_HEADERS})
    _add_precompiled(precompiled_asio_tests ${HIKAE_STANDARD_HEADERS} ${HIKAE_ASIO_HEADERS}
                     ${HIKAE_TEST_HEADERS})
    target_link_libraries(precompiled_tests PRIVATE GTest::gmock)
    target_link_libraries(precompiled_asio_tests PRIVATE hikae_asio_options GTest::gmock)
  endif()
endif()

function(use_precompiled_headers target)
  cmake_parse_arguments(HEADERS "TESTS;ASIO" "" "" ${ARGN})
  if(NOT HIKAE_PRECOMPILE)
    return()
  endif()
  set(from precompiled)
  if(HEADERS_ASIO)
    string(APPEND from _asio)
  endif()
  if(HEADERS_TESTS)
    string(APPEND from _tests)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${from})
endfunction()
