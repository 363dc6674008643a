// Runs a fuzz target over the files of its corpus without libFuzzer: `fuzz_form corpus/form`. So
// every input that once broke something is a plain test.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Also every prefix of a small file: cutting an input short is what breaks parsers first.
constexpr std::size_t kMaxPrefixedSize = 2048;

void run(const std::string& input) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(input.data());
  LLVMFuzzerTestOneInput(data, input.size());
  for (std::size_t size = 0; input.size() <= kMaxPrefixedSize && size < input.size(); ++size) {
    // An allocation of exactly this size, so that reading past the end is noticed.
    const std::vector<std::uint8_t> prefix(data, data + size);
    LLVMFuzzerTestOneInput(prefix.data(), size);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
    return 2;
  }
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1], error)) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (error || files.empty()) {
    std::fprintf(stderr, "%s: no corpus files\n", argv[1]);
    return 1;
  }
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.c_str());
    std::ifstream stream(file, std::ios::binary);
    run(std::string(std::istreambuf_iterator<char>(stream), {}));
  }
  std::fprintf(stderr, "%zu inputs\n", files.size());
  return 0;
}
