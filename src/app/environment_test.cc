#include "app/environment.h"

#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

#include "adapters/system/data_directory.h"
#include "adapters/system/system_random.h"

namespace hikae::app {
namespace {

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hikae-env-XXXXXX").string();
    data_ = ::mkdtemp(name.data());
    facts_.pid = 12;
    facts_.api = "127.0.0.1:4566";
    facts_.dns = {"127.0.0.1:4553", "127.0.0.153:53"};
    facts_.region = "eu-west-1";
    facts_.domain = "cache.hikae.internal";
  }
  ~EnvironmentTest() override { std::filesystem::remove_all(data_); }
  std::string data_;
  RuntimeFacts facts_;
};

TEST_F(EnvironmentTest, ARegionThatNeverRanSaysHowToStart) {
  const auto facts = read_runtime_facts(data_);
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().message.find("hikae serve --data " + data_), std::string::npos);
  EXPECT_EQ(run_env(data_), 1);
}

TEST_F(EnvironmentTest, FactsAreReadAsTheyWereWritten) {
  ASSERT_TRUE(write_runtime_facts(data_, facts_));
  const auto facts = read_runtime_facts(data_);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->pid, 12);
  EXPECT_EQ(facts->dns, facts_.dns);
  EXPECT_EQ(facts->dns_on_port_53()->str(), "127.0.0.153");
  facts_.dns.pop_back();
  EXPECT_EQ(facts_.dns_on_port_53(), std::nullopt);
}

TEST_F(EnvironmentTest, ServeRunsAsLongAsItHoldsTheLock) {
  ASSERT_TRUE(write_runtime_facts(data_, facts_));
  EXPECT_EQ(running_serve(data_).error().code, ErrorCode::kUnavailable);
  const auto lock = adapters::DataDirectory::open(data_);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(running_serve(data_));
}

TEST_F(EnvironmentTest, VariablesNameEndpointKeyAndRegion) {
  EXPECT_FALSE(client_variables(data_, facts_));
  adapters::SystemRandom random;
  const auto directory = adapters::DataDirectory::open(data_);
  const auto key = directory->credentials(random);
  const auto variables = client_variables(data_, facts_);
  ASSERT_TRUE(variables) << variables.error().message;
  EXPECT_EQ(render_exports(*variables),
            "export AWS_ENDPOINT_URL=http://127.0.0.1:4566\nexport AWS_ACCESS_KEY_ID=" +
                key->access_key_id + "\nexport AWS_SECRET_ACCESS_KEY=" + key->secret_access_key +
                "\nexport AWS_DEFAULT_REGION=eu-west-1\nexport AWS_REGION=eu-west-1\nexport "
                "HIKAE_CA_FILE=" +
                data_ + "/ca.pem\n");
}

TEST(Environment, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(shell_quote("http://127.0.0.1:4566"), "http://127.0.0.1:4566");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_quote(""), "''");
}

}  // namespace
}  // namespace hikae::app
