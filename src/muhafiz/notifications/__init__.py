"""The post office: outbox, delivery, bounces. It knows addresses, never incidents."""
