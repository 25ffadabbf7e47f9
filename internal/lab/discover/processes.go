package discover

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Process is one of this machine that listens on TCP.
type Process struct {
	PID    int
	Name   string
	At     []netip.AddrPort // where this machine reaches it, in order
	Hidden bool             // it belongs to somebody else, and where it listens is not shown to us
}

// Limits of what is read of a process.
const (
	commSize   = 15 // characters of a name that Linux keeps
	maxCommand = 4096
	maxFiles   = 65536
)

// Processes are those whose name is accepted, each with the TCP ports on which it listens; those that listen on none are left
// out. proc is the file system that Linux has at /proc; links in it are read with [fs.ReadLink]. others says whether the
// processes of other users can be seen at all. The error wraps [ErrNoTable] where there is no such file system.
func Processes(proc fs.FS, is func(name string) bool) (found []Process, others bool, err error) {
	sockets := map[string]netip.AddrPort{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		f, err := proc.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // IPv6 may be off
		}
		if err != nil {
			return nil, false, err
		}
		list, err := parseSockets(f, "tcp")
		_ = f.Close() // nothing was written
		if err != nil {
			return nil, false, fmt.Errorf("/proc/%s: %w", name, err)
		}
		for _, s := range list {
			if s.inode != "" {
				sockets[s.inode] = s.at
			}
		}
	}
	entries, err := fs.ReadDir(proc, ".")
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "net" }) {
		return nil, false, ErrNoTable
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		others = others || pid == 1 // the first process is root's
		name, ok := nameOf(proc, e.Name(), is)
		if !ok {
			continue
		}
		p := Process{PID: pid, Name: name}
		if p.At, err = listens(proc, e.Name(), sockets); errors.Is(err, fs.ErrPermission) {
			p.Hidden = true
		}
		if p.Hidden || len(p.At) > 0 {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found, others, nil
}

// nameOf is the name by which a process is accepted: that of its program, which is whole, or else the one that Linux keeps.
func nameOf(proc fs.FS, pid string, is func(string) bool) (string, bool) {
	program, _, _ := bytes.Cut(head(proc, pid+"/cmdline"), []byte{0})
	name := string(program)
	name = name[strings.LastIndexAny(name, `/\`)+1:] // programs of Windows run here too
	if is(name) {
		return name, true
	}
	name = strings.TrimSpace(string(head(proc, pid+"/comm")))
	return name, is(name)
}

// head is the beginning of a file; nothing when the process has just ended.
func head(proc fs.FS, name string) []byte {
	f, err := proc.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxCommand))
	return b
}

// listens are the sockets among the open files of a process.
func listens(proc fs.FS, pid string, sockets map[string]netip.AddrPort) ([]netip.AddrPort, error) {
	files, err := fs.ReadDir(proc, pid+"/fd")
	if err != nil {
		return nil, err
	}
	var out []netip.AddrPort
	for _, e := range files[:min(len(files), maxFiles)] {
		to, err := fs.ReadLink(proc, pid+"/fd/"+e.Name())
		if errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		inode, ok := strings.CutPrefix(to, "socket:[")
		if err != nil || !ok {
			continue // a file, or closed by now
		}
		if at, ok := sockets[strings.TrimSuffix(inode, "]")]; ok {
			out = append(out, at)
		}
	}
	slices.SortFunc(out, netip.AddrPort.Compare)
	return slices.Compact(out), nil
}
