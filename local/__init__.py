"""The whole service on one machine: an embedded AWS, the same app, its streams, queues and schedules."""
