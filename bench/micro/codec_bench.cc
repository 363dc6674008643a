// The codecs on the way of every API request.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "codec/query/form.h"
#include "codec/sign/sign.h"
#include "codec/sign/signature.h"

namespace {

using hikae::Instant;
using hikae::codec::Credential;
using hikae::codec::Form;
using hikae::codec::Header;

const Instant kNow(1'766'000'000'000'000);
constexpr const char* kRegion = "ap-northeast-1";

// What the aws CLI sends for create-replication-group of the README.
const std::string kCreate =
    "Action=CreateReplicationGroup&Version=2015-02-02&ReplicationGroupId=foo"
    "&ReplicationGroupDescription=desc+of+foo&AutomaticFailoverEnabled=true&NumCacheClusters=3"
    "&CacheNodeType=cache.m3.medium&Engine=redis&EngineVersion=2.8.6"
    "&CacheParameterGroupName=default.redis2.8&CacheSubnetGroupName=foosubnet"
    "&SecurityGroupIds.SecurityGroupId.1=sg-0123456789abcdef0&Port=6379";

const Credential kCredential{"HKIA0123456789ABCDEF", "0123456789012345678901234567890123456789",
                             std::nullopt};

void BM_FormParse(benchmark::State& state) {
  for (auto _ : state) {
    auto form = Form::parse(kCreate);
    HIKAE_CHECK(form.has_value());
    benchmark::DoNotOptimize(form);
  }
  state.SetBytesProcessed(std::int64_t(state.iterations()) * std::int64_t(kCreate.size()));
}
BENCHMARK(BM_FormParse);

// As the server does it: with the cache of signing keys.
void BM_VerifySignatureV4(benchmark::State& state) {
  std::vector<Header> headers = {
      {"Host", "127.0.0.1:4566"},
      {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  const hikae::codec::SignRequest to_sign{"POST", "/", "", headers, kCreate};
  const std::vector<Header> added =
      hikae::codec::sign_v4_header(to_sign, kCredential, kRegion, "elasticache", kNow);
  headers.insert(headers.end(), added.begin(), added.end());
  hikae::codec::SigningKeyCache keys;
  hikae::codec::SignatureInput input{.method = "POST",
                                     .path = "/",
                                     .query = "",
                                     .headers = headers,
                                     .body = kCreate,
                                     .now = kNow,
                                     .lookup = [](std::string_view) { return &kCredential; },
                                     .key_cache = &keys};
  for (auto _ : state) {
    auto verified = hikae::codec::verify_signature(input);
    HIKAE_CHECK(verified.has_value());
    benchmark::DoNotOptimize(verified);
  }
}
BENCHMARK(BM_VerifySignatureV4);

}  // namespace
