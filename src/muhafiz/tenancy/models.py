"""No tables. Django tells only apps that have this module when tables were made (`apps`)."""
