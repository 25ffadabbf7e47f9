// Package northtest holds one fixed tree with every kind, quality and edge value, and a gateway over it that takes writes,
// so that each door can show that the same devices look right through it.
package northtest
