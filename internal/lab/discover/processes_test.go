package discover

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// closed is a tree of which some folders are not ours to read.
type closed struct {
	fstest.MapFS
	to string // prefix
}

func (c closed) ReadDir(name string) ([]fs.DirEntry, error) {
	if c.to != "" && strings.HasPrefix(name, c.to) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.MapFS.ReadDir(name)
}

// procTree is what Linux shows: Focusrite Control for Windows, Focusrite Control 2, a shell, and a process that listens nowhere.
func procTree() fstest.MapFS {
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:C209 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7001 1 0 100 0 0 10 0
   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7002 1 0 100 0 0 10 0
   2: 00000000:E3D2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7003 1 0 100 0 0 10 0
   3: 0100007F:E3D2 0100007F:9000 01 00000000:00000000 00:00000000 00000000  1000        0 7005 1 0 100 0 0 10 0
`
	const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:E3D3 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7004 1 0 100 0 0 10 0
`
	tree := fstest.MapFS{"net/tcp": {Data: []byte(tcp)}, "net/tcp6": {Data: []byte(tcp6)}, "uptime": {Data: []byte("1")}}
	process := func(pid, comm, cmdline string, fds ...string) {
		tree[pid+"/comm"] = &fstest.MapFile{Data: []byte(comm + "\n")}
		tree[pid+"/cmdline"] = &fstest.MapFile{Data: []byte(cmdline)}
		for i, to := range fds {
			tree[pid+"/fd/"+string(rune('0'+i))] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink}
		}
	}
	process("1", "systemd", "/sbin/init\x00", "/dev/null")
	process("900", "sshd", "sshd: /usr/sbin/sshd -D\x00", "/dev/null", "socket:[7002]")
	process("2504", "ControlServer.e", "C:\\Program Files\\Focusrite\\ControlServer.exe\x00-x\x00", "pipe:[1]", "socket:[7001]", "socket:[7001]")
	process("2505", "Focusrite Contr", "", "socket:[7004]", "socket:[7003]", "socket:[7005]", "anon_inode:[eventpoll]")
	process("2506", "FocusriteNotifi", "/opt/FocusriteNotifier\x00", "socket:[9999]")
	return tree
}

func TestProcesses(t *testing.T) {
	at := netip.MustParseAddrPort
	server := Process{PID: 2504, Name: "ControlServer.exe", At: []netip.AddrPort{at("127.0.0.1:49673")}}
	two := Process{PID: 2505, Name: "Focusrite Contr", At: []netip.AddrPort{at("127.0.0.1:58322"), at("127.0.0.1:58323")}}
	hidepid := procTree()
	for name := range hidepid {
		if strings.HasPrefix(name, "1/") || strings.HasPrefix(name, "900/") {
			delete(hidepid, name)
		}
	}
	noIPv6 := procTree()
	delete(noIPv6, "net/tcp6")
	for _, row := range []struct {
		name   string
		proc   fs.FS
		want   []Process
		others bool
	}{
		{"all can be read", closed{procTree(), ""}, []Process{server, two}, true},
		{"another user's", closed{procTree(), "2504/fd"}, []Process{{PID: 2504, Name: "ControlServer.exe", Hidden: true}, two}, true},
		{"other users are hidden", closed{hidepid, ""}, []Process{server, two}, false},
		{"without IPv6", closed{noIPv6, ""}, []Process{server, {PID: 2505, Name: two.Name, At: two.At[:1]}}, true},
	} {
		got, others, err := Processes(row.proc, IsFocusrite)
		if err != nil || others != row.others {
			t.Errorf("%s: others %v, %v", row.name, others, err)
		}
		if d := cmp.Diff(row.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: -want +got\n%s", row.name, d)
		}
	}
	if _, _, err := Processes(fstest.MapFS{}, IsFocusrite); !errors.Is(err, ErrNoTable) {
		t.Errorf("no /proc at all: %v", err)
	}
	bad := procTree()
	bad["net/tcp"] = &fstest.MapFile{Data: []byte("head\n0: zz x 0A\n")}
	if _, _, err := Processes(bad, IsFocusrite); err == nil || !strings.Contains(err.Error(), "/proc/net/tcp: line 2") {
		t.Errorf("a table that cannot be read: %v", err)
	}
}

func TestIsFocusrite(t *testing.T) {
	for name, want := range map[string]bool{"FocusriteControlServer": true, "FocusriteContro": true, "Focusrite Control 2": true, "focusrite-control": true, "ControlServer.exe": true,
		"ControlServer.e": true, "ControlServer": false, "MyControlServer.exe": false, "sshd": false, "": false} {
		if IsFocusrite(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestOnePerFC2(t *testing.T) {
	f := func(protocol, at string) Found {
		return Found{Protocol: protocol, Addr: netip.MustParseAddrPort(at)}
	}
	got := OnePerFC2([]Found{f("fc2", "127.0.0.1:58323"), f("fcxml", "127.0.0.1:58324"), f("fc2", "127.0.0.1:58322"), f("fc2", "192.0.2.1:58323")})
	if len(got) != 3 || got[0].Protocol != "fcxml" || got[1].Addr.Port() != 58322 || got[2].Addr.Addr().String() != "192.0.2.1" {
		t.Errorf("%+v", got)
	}
}

// This very process listens, and is found where Linux is.
func TestOwnProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc here")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	me := filepath.Base(os.Args[0])
	got, _, err := Processes(os.DirFS("/proc"), func(name string) bool { return name == me })
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		for _, at := range p.At {
			if p.PID == os.Getpid() && at.String() == l.Addr().String() {
				return
			}
		}
	}
	t.Errorf("%v is not among %+v", l.Addr(), got)
}
