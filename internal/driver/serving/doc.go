// Package serving holds what the native servers of all families have in common: who may connect and what programs may change
// ([Networks], [Points]), the programs that are connected as points of the device ([Clients]), and the link that they share
// ([Follow]).
package serving
