# A group whose encryption in transit is `mode`, or none.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {}

variable "region" {
  type = string
}

variable "mode" {
  type    = string
  default = null
}

resource "aws_vpc" "modes" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "modes" {
  vpc_id            = aws_vpc.modes.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = "${var.region}a"
}

resource "aws_elasticache_subnet_group" "modes" {
  name       = "modes"
  subnet_ids = [aws_subnet.modes.id]
}

resource "aws_elasticache_replication_group" "modes" {
  replication_group_id       = "modes"
  description                = "modes"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = "cache.t3.micro"
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  transit_encryption_enabled = var.mode != null
  transit_encryption_mode    = var.mode
  subnet_group_name          = aws_elasticache_subnet_group.modes.name
  apply_immediately          = true
}
