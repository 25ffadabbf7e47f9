package discover

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// ErrNoTable is the cause when this system does not show its tables the way Linux does.
var ErrNoTable = errors.New("this system has no table in /proc/net")

// maxRows bounds how much of a table is read.
const maxRows = 100_000

// Listening are the TCP ports of this machine on which something listens, and its UDP ports that are open to all, with an address
// at which this machine reaches them. The error wraps [ErrNoTable] on other systems than Linux.
func Listening() ([]Target, error) {
	var out []Target
	for _, network := range []string{"tcp", "udp"} {
		for _, name := range []string{"/proc/net/" + network, "/proc/net/" + network + "6"} {
			list, err := table(name, func(r io.Reader) ([]netip.AddrPort, error) { return ParseListening(r, network) })
			if err != nil && !(strings.HasSuffix(name, "6") && errors.Is(err, os.ErrNotExist)) { // IPv6 may be off
				return nil, err
			}
			for _, at := range list {
				out = append(out, Target{network, at})
			}
		}
	}
	slices.SortFunc(out, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Network, b.Network), a.Addr.Compare(b.Addr))
	})
	return slices.Compact(out), nil
}

// Neighbours are the hosts that this machine has exchanged packets with lately, from its ARP table.
func Neighbours() ([]netip.Addr, error) { return table("/proc/net/arp", ParseNeighbours) }

func table[T any](name string, parse func(io.Reader) ([]T, error)) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		if runtime.GOOS != "linux" {
			return nil, fmt.Errorf("%s: %w", runtime.GOOS, ErrNoTable)
		}
		return nil, err
	}
	defer f.Close()
	out, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// The state of a socket in the kernel's tables that takes what comes from anywhere: a TCP listener, and a UDP socket that is
// bound to no peer.
const (
	stateListen = "0A"
	stateClosed = "07"
)

// ParseListening reads /proc/net/tcp or /proc/net/udp, or their twins for IPv6. What listens on all addresses is reached at
// loopback.
func ParseListening(r io.Reader, network string) ([]netip.AddrPort, error) {
	list, err := parseSockets(r, network)
	var out []netip.AddrPort
	for _, s := range list {
		out = append(out, s.at)
	}
	return out, err
}

// socket is one that takes what comes from anywhere.
type socket struct {
	at    netip.AddrPort
	inode string // by which processes hold it; may be empty
}

// inodeColumn is where the inode stands in the kernel's tables.
const inodeColumn = 9

func parseSockets(r io.Reader, network string) ([]socket, error) {
	state := stateListen
	if network == "udp" {
		state = stateClosed
	}
	var out []socket
	err := rows(r, func(f []string) error {
		if len(f) < 4 || f[3] != state {
			return nil
		}
		addr, port, ok := strings.Cut(f[1], ":")
		b, err := hex.DecodeString(addr)
		n, err2 := strconv.ParseUint(port, 16, 16)
		if !ok || err != nil || err2 != nil || len(b)%4 != 0 {
			return fmt.Errorf("%q is no address", f[1])
		}
		for i := 0; i < len(b); i += 4 { // each word is in the byte order of the machine, which is little-endian here
			slices.Reverse(b[i : i+4])
		}
		ip, ok := netip.AddrFromSlice(b)
		if !ok {
			return fmt.Errorf("%q is no address", f[1])
		}
		ip = ip.Unmap()
		if ip.IsUnspecified() {
			ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		s := socket{at: netip.AddrPortFrom(ip, uint16(n))}
		if len(f) > inodeColumn {
			s.inode = f[inodeColumn]
		}
		out = append(out, s)
		return nil
	})
	return out, err
}

// ParseNeighbours reads /proc/net/arp. Entries without an answer are left out.
func ParseNeighbours(r io.Reader) ([]netip.Addr, error) {
	var out []netip.Addr
	err := rows(r, func(f []string) error {
		if len(f) < 4 || f[2] == "0x0" {
			return nil
		}
		ip, err := netip.ParseAddr(f[0])
		if err != nil {
			return err
		}
		out = append(out, ip)
		return nil
	})
	return out, err
}

// rows calls f with the words of each line after the first.
func rows(r io.Reader, f func(words []string) error) error {
	sc := bufio.NewScanner(r)
	for n := 0; sc.Scan(); n++ {
		if n == 0 {
			continue
		}
		if n > maxRows {
			return fmt.Errorf("more than %d lines", maxRows)
		}
		if err := f(strings.Fields(sc.Text())); err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return sc.Err()
}
