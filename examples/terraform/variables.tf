variable "region" {
  type    = string
  default = "ap-northeast-1"
}

variable "description" {
  type    = string
  default = "An example"
}

variable "members" {
  type        = number
  default     = 3
  description = "The primary and its replicas."
}

variable "node_type" {
  type    = string
  default = "cache.t3.micro"
}

variable "idle_seconds" {
  type        = number
  default     = 300
  description = "Connections that are idle for longer are closed."
}

variable "stage" {
  type    = string
  default = "development"
}

variable "application_password" {
  type      = string
  sensitive = true
}
