"""What every broker's transport is made with: logins, TLS, publishing, subscriptions."""
