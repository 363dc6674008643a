#pragma once

#include "adapters/s3_buckets/s3_client.h"
#include "app/config.h"

namespace hikae::app {

// The access key of a file in the format of ~/.aws/credentials, of which the first section counts.
// kDenied: others than its owner may read it. kInvalid: it has no whole key.
Result<codec::Credential> read_s3_credentials(const std::string& file);

// How to reach the server, with the certificates and the access key that the configuration names.
Result<s3::S3Options> s3_options(const S3Config& config);

}  // namespace hikae::app
