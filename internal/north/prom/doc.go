// Package prom is the door for Prometheus and whatever else reads its text format: numeric points, the links of devices, and
// what the program counts about itself.
//
// Nothing is kept between two scrapes: each reads the tree as it is. A point that is not good has no series, so a series of
// a lost device ends instead of repeating its last value. docs/guide/prometheus.md lists the metrics.
package prom
