"""What the product does. Services know repositories and the store's protocol; no HTTP, no SQL, no image library."""
