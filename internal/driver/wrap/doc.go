// Package wrap holds decorators of a driver.Session: log, limit, pace, read-only and dry run. Each takes a session and
// returns one that behaves like it but for one thing. Closing the result closes the session below. They nest in any order;
// the outermost acts first.
package wrap
