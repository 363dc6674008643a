# A replication group over two zones, a single cache, and what they need. Nothing in it is Hikae's
# own: where it goes is decided by AWS_ENDPOINT_URL (README.md).

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {}

resource "aws_vpc" "example" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = "example" }
}

resource "aws_subnet" "example" {
  for_each          = { a = 1, c = 2 }
  vpc_id            = aws_vpc.example.id
  cidr_block        = "10.0.${each.value}.0/24"
  availability_zone = "${var.region}${each.key}"
}

resource "aws_security_group" "example" {
  name        = "example-caches"
  description = "Clients of the caches"
  vpc_id      = aws_vpc.example.id

  ingress {
    from_port   = 6379
    to_port     = 6379
    protocol    = "tcp"
    cidr_blocks = [aws_vpc.example.cidr_block]
  }
}

resource "aws_elasticache_subnet_group" "example" {
  name       = "example"
  subnet_ids = [for subnet in aws_subnet.example : subnet.id]
}

resource "aws_elasticache_parameter_group" "example" {
  name   = "example"
  family = "redis7"

  parameter {
    name  = "timeout"
    value = var.idle_seconds
  }
}

# Every user group has a user called `default`. This one may do nothing.
resource "aws_elasticache_user" "nobody" {
  user_id              = "example-default"
  user_name            = "default"
  access_string        = "off -@all"
  engine               = "redis"
  no_password_required = true
}

resource "aws_elasticache_user" "application" {
  user_id       = "example-application"
  user_name     = "application"
  access_string = "on ~app:* +@all -@dangerous"
  engine        = "redis"

  authentication_mode {
    type      = "password"
    passwords = [var.application_password]
  }
}

resource "aws_elasticache_user_group" "example" {
  user_group_id = "example"
  engine        = "redis"
  user_ids = [
    aws_elasticache_user.nobody.user_id,
    aws_elasticache_user.application.user_id,
  ]
}

resource "aws_elasticache_replication_group" "example" {
  replication_group_id       = "example"
  description                = var.description
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.node_type
  num_cache_clusters         = var.members
  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.example.user_group_id]
  parameter_group_name       = aws_elasticache_parameter_group.example.name
  subnet_group_name          = aws_elasticache_subnet_group.example.name
  security_group_ids         = [aws_security_group.example.id]
  apply_immediately          = true
  tags                       = { stage = var.stage }
}

resource "aws_elasticache_cluster" "single" {
  cluster_id           = "example-single"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = "cache.t3.micro"
  num_cache_nodes      = 1
  parameter_group_name = aws_elasticache_parameter_group.example.name
  subnet_group_name    = aws_elasticache_subnet_group.example.name
  apply_immediately    = true
}
