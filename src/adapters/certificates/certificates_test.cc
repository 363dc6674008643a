#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "adapters/certificates/certificate_authority.h"
#include "adapters/certificates/openssl.h"

namespace hikae::adapters {
namespace {

using std::chrono::hours;

const Instant kNow(1'800'000'000'000'000);

CertificateAuthority make_ca(char seed = 's') {
  const std::string bytes(CertificateAuthority::kSeedBytes, seed);
  return std::move(*CertificateAuthority::derive("test region", bytes));
}

// X509_V_OK, or why a partner of that kind would not accept the certificate at that time.
int verdict(const std::string& certificate, const CertificateAuthority& ca, int purpose,
            Instant at) {
  const Certificate leaf = read_x509(certificate);
  const Certificate root = read_x509(ca.certificate());
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), std::time_t(at.seconds()));
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

TEST(Certificates, AnAgentGetsOneForItsHost) {
  const auto ca = make_ca();
  const auto key = *make_key();
  const auto request = *make_certificate_request(key);
  EXPECT_EQ(*ca.identity_of_request(request), *identity_of_key(key));
  const auto certificate = ca.sign_agent(request, "h1", kNow, hours(24));
  ASSERT_TRUE(certificate) << certificate.error().message;
  const auto facts = read_certificate(*certificate);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->name, "h1");
  EXPECT_EQ(facts->identity, *identity_of_key(key));
  EXPECT_EQ(facts->not_after, kNow + hours(24));
  EXPECT_LT(facts->not_before, kNow);
  EXPECT_EQ(verdict(*certificate, ca, X509_PURPOSE_SSL_CLIENT, kNow), X509_V_OK);
  EXPECT_EQ(verdict(*certificate, ca, X509_PURPOSE_SSL_CLIENT, kNow + hours(25)),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(Certificates, AnAgentCannotPoseAsAServerNorAServerAsAnAgent) {
  const auto ca = make_ca();
  const auto agent = *ca.sign_agent(*make_certificate_request(*make_key()), "h1", kNow, hours(1));
  const auto server = *ca.make_server(kNow, hours(1));
  EXPECT_EQ(verdict(agent, ca, X509_PURPOSE_SSL_SERVER, kNow), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verdict(server.chain, ca, X509_PURPOSE_SSL_CLIENT, kNow), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verdict(server.chain, ca, X509_PURPOSE_SSL_SERVER, kNow), X509_V_OK);
}

TEST(Certificates, ANodeIsWhoeverHasItsNameOrAddress) {
  const auto ca = make_ca();
  const Ipv4 address = *Ipv4::parse("127.64.0.4");
  const auto made = ca.make_named("*.foo.abcdef.cache.internal",
                                  {"foo.abcdef.ng.0001.cache.internal"}, address, kNow, hours(1));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(verdict(made->chain, ca, X509_PURPOSE_SSL_SERVER, kNow), X509_V_OK);
  const Certificate leaf = read_x509(made->chain);
  const auto is_host = [&](const char* name) {
    return X509_check_host(leaf.get(), name, 0, 0, nullptr) == 1;
  };
  EXPECT_TRUE(is_host("master.foo.abcdef.cache.internal"));
  EXPECT_TRUE(is_host("foo-001.foo.abcdef.cache.internal"));
  EXPECT_TRUE(is_host("foo.abcdef.ng.0001.cache.internal"));
  EXPECT_FALSE(is_host("master.bar.abcdef.cache.internal"));
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.64.0.4", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.64.0.5", 0), 0);
  const std::string long_name = "*." + std::string(60, 'x') + ".cache.internal";
  EXPECT_TRUE(ca.make_named(long_name, {}, address, kNow, hours(1)));
}

TEST(Certificates, AnotherCaIsNotBelieved) {
  const auto ca = make_ca();
  const auto other = make_ca('o');
  EXPECT_NE(ca.fingerprint(), other.fingerprint());
  const auto server = *other.make_server(kNow, hours(1));
  EXPECT_NE(verdict(server.chain, ca, X509_PURPOSE_SSL_SERVER, kNow), X509_V_OK);
}

TEST(Certificates, TheCaIsTheSameWhereverItIsDerived) {
  const auto ca = make_ca();
  const auto again = make_ca();
  EXPECT_EQ(again.fingerprint(), ca.fingerprint());
  EXPECT_EQ(again.certificate(), ca.certificate());
  const auto server = *again.make_server(kNow, hours(1));
  EXPECT_EQ(verdict(server.chain, ca, X509_PURPOSE_SSL_SERVER, kNow), X509_V_OK);
  EXPECT_EQ(read_certificate(ca.certificate())->fingerprint, ca.fingerprint());
}

TEST(Certificates, JunkIsRefused) {
  const auto ca = make_ca();
  const auto other = make_ca();
  EXPECT_FALSE(CertificateAuthority::derive("short", "seed"));
  EXPECT_FALSE(ca.sign_agent("", "h1", kNow, hours(1)));
  EXPECT_FALSE(ca.identity_of_request(ca.certificate()));
  EXPECT_FALSE(read_certificate("x"));
  EXPECT_FALSE(identity_of_key("x"));
  EXPECT_FALSE(make_certificate_request(ca.certificate()));
  // A request whose signature was cut from another one.
  std::string request = *make_certificate_request(*make_key());
  const auto at = request.size() / 2;
  request[at] = request[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(ca.sign_agent(request, "h1", kNow, hours(1)));
}

}  // namespace
}  // namespace hikae::adapters
