# add_layer(<name> [OWN_FLAGS] [DEPENDS <layer>...] [LIBS <target>...] [TEST_LIBS <target>...])
#
# One floor of the house, from all .cc files below the current directory:
#   hikae_<name>        static library; *_test.cc are left out
#   link_<name>         the library linked whole-archive with only its declared dependencies, so
#                       that a call to a higher floor fails the build and names the symbol
#   test_<name>         the unit tests beside the code, registered with CTest
#
# OWN_FLAGS: the library is compiled with other flags than the rest, and so without the precompiled
# headers.
function(add_layer name)
  cmake_parse_arguments(LAYER "OWN_FLAGS" "" "DEPENDS;LIBS;TEST_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cc "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cc)
  endif()

  set(libs ${LAYER_LIBS})
  foreach(dep IN LISTS LAYER_DEPENDS)
    list(APPEND libs hikae_${dep})
  endforeach()

  add_library(hikae_${name} STATIC ${sources})
  target_include_directories(hikae_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(hikae_${name} PUBLIC ${libs} fmt::fmt tl::expected)
  set(asio "")
  if("asio" IN_LIST LAYER_DEPENDS OR "control" IN_LIST LAYER_DEPENDS)
    set(asio ASIO)
  endif()
  if(NOT LAYER_OWN_FLAGS)
    use_precompiled_headers(hikae_${name} ${asio})
  endif()

  if(NOT HIKAE_TESTS)
    return()
  endif()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/link_${name}.cc "int main() { return 0; }\n")
  add_executable(link_${name} ${CMAKE_CURRENT_BINARY_DIR}/link_${name}.cc)
  target_link_libraries(link_${name} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,hikae_${name}>" ${libs})
  add_test(NAME link.${name} COMMAND link_${name})
  set_tests_properties(link.${name} PROPERTIES LABELS "lint")

  if(tests)
    add_executable(test_${name} ${tests})
    target_link_libraries(test_${name} PRIVATE hikae_${name} ${LAYER_TEST_LIBS} GTest::gtest
                          GTest::gmock GTest::gtest_main hikae_rapidcheck)
    use_precompiled_headers(test_${name} TESTS ${asio})
    add_test(NAME unit.${name} COMMAND test_${name})
    set_tests_properties(unit.${name} PROPERTIES LABELS "unit" TIMEOUT 300)
  endif()
endfunction()
