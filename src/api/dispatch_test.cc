#include "api/dispatch.h"

#include <optional>
#include <stdexcept>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/invoke.h"
#include "codec/sign/sign.h"

namespace hikae::api {

// A service of three actions, in place of the generated ones.
namespace toy {

struct EchoMessage {
  std::optional<std::string> text;
};

void read(const codec::QueryNode& node, EchoMessage& out, ReadContext& context) {
  read_member(node, "Text", out.text, context);
  require(out.text, "Text", context);
}

void write_members(WriteContext& context, const EchoMessage& value) {
  write_member(context, "Text", value.text);
}

AsyncResult<EchoMessage> echo(HandlerContext& context, EchoMessage input) {
  if (input.text == "throw") {
    throw std::runtime_error("the handler broke");
  }
  if (input.text == "refuse") {
    co_return refuse("EchoNotFound", "No <echo>.");
  }
  input.text =
      *input.text + " from " + context.caller().account_id + " at " + context.version().str();
  co_return input;
}

AsyncResult<NoOutput> remove(HandlerContext&, EchoMessage) {
  co_return NoOutput{};
}

constexpr ApiVersion kVersions[] = {ApiVersion(20140930), ApiVersion(20150202)};
constexpr Action kActions[] = {
    {"DeleteEcho", "echo", kVersions[0], "", &invoke<EchoMessage, NoOutput, &remove>},
    {"Echo", "echo", kVersions[0], "EchoResult", &invoke<EchoMessage, EchoMessage, &echo>},
    {"NewEcho", "echo", kVersions[1], "", nullptr},
};
constexpr FaultKind kFaults[] = {{"EchoNotFound", 404}, {"MissingParameter", 400}};
constexpr ServiceTable kElastiCache{
    Service::kElastiCache, Dialect::kQuery, "http://cache/doc/", "/", kVersions, kActions, kFaults};

constexpr ApiVersion kEc2Versions[] = {ApiVersion(20161115)};
constexpr Action kEc2Actions[] = {
    {"DeleteEcho", "echo", kEc2Versions[0], "", &invoke<EchoMessage, NoOutput, &remove>},
    {"Echo", "echo", kEc2Versions[0], "", &invoke<EchoMessage, EchoMessage, &echo>},
};
constexpr ServiceTable kEc2{
    Service::kEc2, Dialect::kEc2, "http://ec2/doc/", "/", kEc2Versions, kEc2Actions, {}};

}  // namespace toy

namespace {

using ::testing::HasSubstr;

constexpr Instant kNow(1'412'121'600'000'000);  // 2014-10-01T00:00:00Z
constexpr std::string_view kId = "12345678-1234-4234-8123-123456789012";

class DispatchTest : public ::testing::Test {
 protected:
  DispatchTest()
      : dispatcher_(
            {&toy::kElastiCache, &toy::kEc2}, nullptr, credentials_, random_, [] { return kNow; },
            [this](std::string_view line) { log_ += line; },
            Dispatcher::Options{.region = "ap-northeast-1"}) {
    credentials_.add(KnownCredential{.credential = key_, .account_id = "000000000042"});
  }

  static HttpRequest post(std::string body) {
    HttpRequest request{.method = "POST", .target = "/", .body = std::move(body)};
    request.headers.emplace_back("Host", "127.0.0.1:4566");
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return request;
  }

  HttpRequest sign(HttpRequest request, std::string_view service = "elasticache",
                   std::string_view region = "ap-northeast-1") const {
    const std::vector<codec::Header> extra = codec::sign_v4_header({.method = request.method,
                                                                    .path = "/",
                                                                    .query = "",
                                                                    .headers = request.headers,
                                                                    .body = request.body},
                                                                   key_, region, service, kNow);
    request.headers.insert(request.headers.end(), extra.begin(), extra.end());
    return request;
  }

  // Runs the request; request ids are replaced by "ID".
  HttpResponse send(HttpRequest request) {
    boost::asio::io_context io(1);
    std::optional<HttpResponse> response;
    boost::asio::co_spawn(io, dispatcher_.handle(std::move(request)),
                          [&response](std::exception_ptr failure, HttpResponse got) {
                            ASSERT_FALSE(failure);
                            response = std::move(got);
                          });
    io.run();
    EXPECT_TRUE(response.has_value());
    HttpResponse done = response.value_or(HttpResponse{});
    for (const auto& [name, value] : done.headers) {
      if (name == "x-amzn-RequestId") {
        EXPECT_EQ(value.size(), kId.size());
        const std::size_t at = done.body.find(value);
        EXPECT_NE(at, std::string::npos);
        done.body.replace(at, value.size(), "ID");
      }
    }
    return done;
  }

  const codec::Credential key_{.access_key_id = "AKIDEXAMPLE", .secret = "secret"};
  Credentials credentials_;
  SeededRandom random_{1};
  std::string log_;
  Dispatcher dispatcher_;
};

TEST_F(DispatchTest, AnswersInTheEnvelopeOfTheQueryProtocol) {
  const HttpResponse response = send(sign(post("Action=Echo&Version=2015-02-02&Text=a%26b")));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.front().second, "text/xml");
  EXPECT_EQ(response.body,
            "<EchoResponse xmlns=\"http://cache/doc/2015-02-02/\"><EchoResult>"
            "<Text>a&amp;b from 000000000042 at 2015-02-02</Text></EchoResult>"
            "<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></EchoResponse>");
}

TEST_F(DispatchTest, ActionsWithoutOutputHaveNoResultElement) {
  const HttpResponse response = send(sign(post("Action=DeleteEcho&Version=2015-02-02&Text=a")));
  EXPECT_EQ(response.body,
            "<DeleteEchoResponse xmlns=\"http://cache/doc/2015-02-02/\">"
            "<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DeleteEchoResponse>");
}

TEST_F(DispatchTest, TheScopeOfTheSignatureChoosesTheService) {
  const HttpResponse response = send(sign(post("Action=Echo&Version=2016-11-15&Text=a"), "ec2"));
  EXPECT_EQ(response.body,
            "<EchoResponse xmlns=\"http://ec2/doc/2016-11-15/\"><requestId>ID</requestId>"
            "<Text>a from 000000000042 at 2016-11-15</Text></EchoResponse>");
  const HttpResponse removed =
      send(sign(post("Action=DeleteEcho&Version=2016-11-15&Text=a"), "ec2"));
  EXPECT_THAT(removed.body, HasSubstr("<requestId>ID</requestId><return>true</return>"));
}

TEST_F(DispatchTest, JsonForBoto2) {
  const HttpResponse response =
      send(sign(post("Action=Echo&Version=2013-06-15&ContentType=JSON&Text=a")));
  EXPECT_EQ(response.headers.front().second, "application/json");
  EXPECT_EQ(response.body,
            R"({"EchoResponse":{"EchoResult":{"Text":"a from 000000000042 at 2014-09-30"},)"
            R"("ResponseMetadata":{"RequestId":"ID"}}})");
  const HttpResponse refused =
      send(sign(post("Action=Echo&Version=2013-06-15&ContentType=JSON&Text=refuse")));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.body, R"({"Error":{"Type":"Sender","Code":"EchoNotFound",)"
                          R"("Message":"No <echo>."},"RequestId":"ID"})");
}

TEST_F(DispatchTest, OldVersionsGetTheNearestModelAndTheirOwnNamespace) {
  const HttpResponse response = send(sign(post("Action=Echo&Version=2012-11-15&Text=a")));
  EXPECT_THAT(response.body, HasSubstr("http://cache/doc/2012-11-15/"));
  EXPECT_THAT(response.body, HasSubstr("at 2014-09-30"));
}

TEST_F(DispatchTest, PresignedGet) {
  HttpRequest request{.method = "GET", .target = "/"};
  request.headers.emplace_back("Host", "127.0.0.1:4566");
  const std::string query = codec::presign_v4({.method = "GET",
                                               .path = "/",
                                               .query = "Action=Echo&Version=2014-09-30&Text=a",
                                               .headers = request.headers,
                                               .body = ""},
                                              key_, "ap-northeast-1", "elasticache", kNow, 60);
  request.target = "/?" + query;
  EXPECT_THAT(send(request).body, HasSubstr("<Text>a from 000000000042 at 2014-09-30</Text>"));
}

TEST_F(DispatchTest, RefusalsHaveTheShapeOfTheirProtocol) {
  const HttpResponse query = send(sign(post("Action=Echo&Version=2015-02-02&Text=refuse")));
  EXPECT_EQ(query.status, 404);
  EXPECT_EQ(query.body,
            "<ErrorResponse xmlns=\"http://cache/doc/2015-02-02/\"><Error><Type>Sender</Type>"
            "<Code>EchoNotFound</Code><Message>No &lt;echo&gt;.</Message></Error>"
            "<RequestId>ID</RequestId></ErrorResponse>");
  const HttpResponse ec2 = send(sign(post("Action=Echo&Version=2016-11-15"), "ec2"));
  EXPECT_EQ(ec2.status, 400);
  EXPECT_EQ(ec2.body,
            "<Response><Errors><Error><Code>MissingParameter</Code>"
            "<Message>The request must contain the parameter Text</Message></Error></Errors>"
            "<RequestID>ID</RequestID></Response>");
}

TEST_F(DispatchTest, ActionsThatCannotBeRun) {
  EXPECT_THAT(send(sign(post("Action=Nothing&Version=2015-02-02"))).body,
              HasSubstr("<Code>InvalidAction</Code><Message>Could not find operation Nothing for "
                        "version 2015-02-02</Message>"));
  EXPECT_THAT(send(sign(post("Action=NewEcho&Version=2014-09-30"))).body,
              HasSubstr("<Code>InvalidAction</Code>"));
  EXPECT_THAT(send(sign(post("Action=Echo&Version=latest"))).body,
              HasSubstr("Could not find operation Echo for version latest"));
  EXPECT_THAT(send(sign(post("Version=2015-02-02"))).body, HasSubstr("<Code>MissingAction</Code>"));
  const HttpResponse unsupported = send(sign(post("Action=NewEcho&Version=2015-02-02")));
  EXPECT_EQ(unsupported.status, 400);
  EXPECT_THAT(unsupported.body, HasSubstr("<Code>UnsupportedOperation</Code><Message>Hikae does "
                                          "not implement NewEcho yet.</Message>"));
}

TEST_F(DispatchTest, SignaturesThatAreNotAccepted) {
  const std::string body = "Action=Echo&Version=2015-02-02&Text=a";
  const HttpResponse unsigned_answer = send(post(body));
  EXPECT_EQ(unsigned_answer.status, 403);
  EXPECT_THAT(unsigned_answer.body, HasSubstr("<Code>MissingAuthenticationToken</Code>"));

  HttpRequest changed = sign(post(body));
  changed.body += "b";
  EXPECT_THAT(send(changed).body, HasSubstr("<Code>SignatureDoesNotMatch</Code>"));
  HttpRequest changed_ec2 = sign(post(body), "ec2");
  changed_ec2.body += "b";
  const HttpResponse ec2 = send(changed_ec2);
  EXPECT_EQ(ec2.status, 401);
  EXPECT_THAT(ec2.body, HasSubstr("<Code>AuthFailure</Code>"));

  EXPECT_THAT(send(sign(post(body), "elasticache", "mars-1")).body,
              HasSubstr("Credential should be scoped to a valid region, not &apos;mars-1&apos;."));
  EXPECT_THAT(send(sign(post(body), "s3")).body,
              HasSubstr("Credential should be scoped to correct service"));
}

TEST_F(DispatchTest, ABrokenHandlerIsAnInternalFailure) {
  const HttpResponse response = send(sign(post("Action=Echo&Version=2015-02-02&Text=throw")));
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("<Type>Receiver</Type><Code>InternalFailure</Code>"));
  EXPECT_THAT(log_, HasSubstr("the handler broke"));
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("the handler broke")));
}

TEST_F(DispatchTest, AMalformedFormIsRefused) {
  const HttpResponse response = send(sign(post("Action=Echo&Text=%GG")));
  EXPECT_THAT(response.body, HasSubstr("<Code>MalformedQueryString</Code>"));
}

}  // namespace
}  // namespace hikae::api
