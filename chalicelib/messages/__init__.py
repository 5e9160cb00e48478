"""Mail: templates, the gate, claims, one-click unsubscribe."""
