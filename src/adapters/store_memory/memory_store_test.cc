#include "adapters/store_memory/memory_store.h"

#include <gtest/gtest.h>

#include "control/store_contract_test_suite.h"

namespace hikae::control {
namespace {

struct MemoryHarness {
  adapters::MemoryStore store;
  Store& open() { return store; }
};

INSTANTIATE_TYPED_TEST_SUITE_P(MemoryStore, StoreContract, MemoryHarness);

}  // namespace
}  // namespace hikae::control
