"""The contract itself: health, the OpenAPI document, the page that shows it."""
