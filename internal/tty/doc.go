// Package tty knows the terminal settings of Linux: what they mean as a serial line, and how to bring a line into force.
package tty
