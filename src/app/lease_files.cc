#include "app/lease_files.h"

#include "codec/text/digest.h"

namespace hikae::app {
namespace {

constexpr std::size_t kNameLength = 8;

}  // namespace

adapters::LeaseMemory::Options lease_files(const std::string& data_directory) {
  adapters::LeaseMemory::Options out;
  out.name = codec::sha256_hex(data_directory).substr(0, kNameLength);
  return out;
}

}  // namespace hikae::app
