// Package obs is how the program reports about itself: logging through log/slog with secrets scrubbed and repeated
// failures summed up, and what build this is.
package obs
