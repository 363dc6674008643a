#include "app/config.h"
#include "app/settings_file.h"

namespace hikae::app {

Result<ConfigSettings> parse_config_file(std::string_view content, const std::string& file_name) {
  ConfigSettings settings;
  const Status status =
      read_settings(content, file_name,
                    {
                        {"data", &settings.data_directory},
                        {"listen", &settings.listen},
                        {"region", &settings.region},
                        {"zones", &settings.zones},
                        {"domain", &settings.domain},
                        {"allow_test_credentials", &settings.allow_test_credentials},
                        {"log_file", &settings.log_file},
                        {"snapshots", &settings.snapshots},
                        {"buckets", &settings.buckets},
                        {"notifications.webhook", &settings.notifications_webhook},
                        {"notifications.file", &settings.notifications_file},
                        {"logs.directory", &settings.logs_directory},
                        {"logs.webhook", &settings.logs_webhook},
                        {"s3.endpoint", &settings.s3_endpoint},
                        {"s3.region", &settings.s3_region},
                        {"s3.credentials_file", &settings.s3_credentials_file},
                        {"s3.ca_file", &settings.s3_ca_file},
                        {"dns.listen", &settings.dns_listen},
                        {"engines.strict", &settings.engines_strict},
                        {"engines.valkey_server", &settings.valkey_server},
                        {"engines.redis_server", &settings.redis_server},
                        {"failover.hang_ms", &settings.hang_ms},
                        {"failover.busy_ms", &settings.busy_ms},
                        {"failover.test_failovers_per_day", &settings.test_failovers_per_day},
                        {"store", &settings.store},
                        {"local_agents", &settings.local_agents},
                        {"etcd.user", &settings.etcd_user},
                        {"etcd.password_file", &settings.etcd_password_file},
                        {"etcd.ca_file", &settings.etcd_ca_file},
                        {"etcd.certificate_file", &settings.etcd_certificate_file},
                        {"etcd.key_file", &settings.etcd_key_file},
                        {"agents.listen", &settings.agents_listen},
                        {"agents.certificate_lifetime", &settings.agents_certificate_lifetime},
                        {"agents.rebuild_after", &settings.rebuild_after},
                        {"agents.lease_ms", &settings.lease_ms},
                    });
  if (!status) {
    return tl::unexpected(status.error());
  }
  return settings;
}

}  // namespace hikae::app
