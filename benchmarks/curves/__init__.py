"""What a step costs where there is more and more: steps of its thread, threads, tenants."""
