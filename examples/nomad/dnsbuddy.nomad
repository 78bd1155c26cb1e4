# dnsbuddy watch as a Nomad job: two copies, one of which leads. IMAGE has to be where your clients can pull it (make image, push).
#
#   nomad var put nomad/jobs/dnsbuddy token=...        the token for Cloudflare (Nomad 1.4 or newer)
#   nomad job run -var image=registry.example.com/dnsbuddy dnsbuddy.nomad

variable "image" {
  type    = string
  default = "dnsbuddy:latest"
}

job "dnsbuddy" {
  type = "service"

  group "watch" {
    # A second copy takes over within a second when the first is stopped.
    count = 2

    network {
      port "http" {
        to = 8080
      }
    }

    update {
      max_parallel = 1
      health_check = "task_states"
    }

    task "dnsbuddy" {
      driver = "docker"

      config {
        image           = var.image
        args            = ["watch"]
        ports           = ["http"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      env {
        CF_ROOT_DOMAIN = "example.com"
        SERVICE        = "nginx"
        RECORD         = "www.example.com"
        TTL            = "60"
        # The agent of the client that it runs on.
        CONSUL_HTTP_ADDR          = "${attr.unique.network.ip-address}:8500"
        CLOUDFLARE_API_TOKEN_FILE = "/secrets/token"
        DNSBUDDY_LOCK             = "true"
        DNSBUDDY_LISTEN           = ":8080"
      }

      # Read again on SIGHUP.
      template {
        destination   = "secrets/token"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        perms         = "444"
        data          = "{{ with nomadVar \"nomad/jobs/dnsbuddy\" }}{{ .token }}{{ end }}"
      }

      resources {
        cpu    = 50
        memory = 16
      }
    }
  }
}
