# Every third-party library, each found once. All are Debian 12 packages (tools/install_deps).
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(SQLiteCpp REQUIRED)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)

# Asio is compiled once, in src/asio/asio_impl.cc: a quarter of the build time.
add_library(hikae_asio_options INTERFACE)
target_compile_definitions(hikae_asio_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_REGEX)
target_link_libraries(hikae_asio_options INTERFACE Boost::boost Threads::Threads)

if(HIKAE_TESTS)
  find_package(GTest REQUIRED)
  find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
  add_library(hikae_rapidcheck INTERFACE)
  target_link_libraries(hikae_rapidcheck INTERFACE ${RAPIDCHECK_LIBRARY})
endif()
