// Asio's own code, compiled once for the whole program: with BOOST_ASIO_SEPARATE_COMPILATION every
// other file sees declarations only, which halves its compile time.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
