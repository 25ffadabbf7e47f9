// Package cli is the command line: one file for each command, each a function of a context, its arguments, the standard
// streams and the environment. Results go to standard output, everything else to standard error. With --json results are
// JSON lines. Exit codes tell classes of failure apart; see [ExitCode].
package cli
