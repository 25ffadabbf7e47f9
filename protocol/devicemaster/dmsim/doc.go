// Package dmsim is a simulated DeviceMaster: a box whose ports end in echoes, null modems, an instrument that talks, a sink
// that is silent. It answers the maker's drivers and tools as a box does, varies where boxes were seen to vary, and breaks on
// request.
//
// What the lines do (times, rates, modem lines of a null modem) is ours; what goes over the network is what was recorded, or
// marked where it is not.
package dmsim
