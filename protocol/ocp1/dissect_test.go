package ocp1

import (
	"errors"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// Every vector is one frame whose fields cover it.
func TestDissectVectors(t *testing.T) {
	for _, v := range vectors {
		b := unhex(t, v.wire)
		d := NewDissector()
		frames := d.Feed(transcript.FromClient, b)
		if len(frames) != 1 || frames[0].Err != nil || frames[0].Length != len(b) {
			t.Errorf("%s: %+v", v.name, frames)
			continue
		}
		covered := make([]bool, len(b))
		mark := func(at, n int) {
			for i := at; i < at+n; i++ {
				covered[i] = true
			}
		}
		for _, f := range frames[0].Fields {
			mark(f.Offset, f.Length)
		}
		for _, u := range frames[0].Unknown {
			mark(u.Offset, u.Length)
		}
		for i, ok := range covered {
			if !ok {
				t.Errorf("%s: byte %d is neither explained nor unknown", v.name, i)
			}
		}
	}
}

// event2 is an event in a message of its own.
func event2(n Notification2) []byte {
	b, at := BeginMessage(nil, 1, TypeNotification2)
	return EndMessage(n.Append(b), at, 1)
}

// A conversation: classes are learned, answers are read by what was asked.
func TestDissectConversation(t *testing.T) {
	d := NewDissector()
	type say struct {
		dir  transcript.Direction
		wire []byte
		want string
	}
	members := AppendList(nil, []ObjectIdentification{{0x1016, ClassIdentification{ClassGain, 2}}, {0x1017, ClassIdentification{ClassOf(1, 2, 0xffff, 0, 0x130e, 1), 1}}}, AppendObjectIdentification)
	deep := AppendList(nil, []BlockMember{{ObjectIdentification{0x1020, ClassIdentification{ClassMute, 2}}, 100}}, AppendBlockMember)
	found := AppendList(nil, []SearchResult{{ONo: 0x1021, Class: ClassIdentification{ClassDelay, 2}}, {Role: "x"}}, AppendSearchResult)
	get := AppendF32(AppendF32(AppendF32(nil, -24.5), -80), 6)
	for _, s := range []say{
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 1, Target: 100, Method: ID{3, 5}}), "CommandRrq: 100.GetMembers()"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 1, Count: 1, Params: members}),
			"Response: 100.GetMembers = [{4118, {1.1.1.5, 2}}, {4119, {1.2.[00130e].1, 1}}]"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 2, Target: 0x1016, Method: ID{4, 1}}, Command{Handle: 3, Target: 0x1016, Method: ID{4, 2}, Count: 1, Params: AppendF32(nil, 99)}),
			"CommandRrq x 2: 4118.GetGain(); 4118.SetGain(99)"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 3, Status: StatusParameterOutOfRange}), "Response: 4118.SetGain ParameterOutOfRange"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 2, Count: 3, Params: get}), "Response: 4118.GetGain = -24.5, -80, 6"},
		{transcript.FromServer, unhex(t, "3b 0001 0000001f 05 0001 00000016 00001016 0001 0001 00 0004 0001 c1c40000 01"), "Notification2: 4118.Gain = -24.5"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 4, Target: 0x1017, Method: ID{3, 4}}), "CommandRrq: 4119.3.4()"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 4, Count: 1, Params: []byte{0, 1}}), "Response: 4119.3.4 = 0001"},
		{transcript.FromClient, AppendCommands(nil, 1, false, Command{Handle: 5, Target: 77777, Method: ID{1, 5}}), "Command: 77777.GetRole()"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 99, Count: 1, Params: []byte{7}}), "Response: 99 = 07"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 6, Target: 100, Method: ID{3, 6}}), "CommandRrq: 100.GetMembersRecursive()"},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 6, Count: 1, Params: deep}), "Response: 100.GetMembersRecursive = [{{4128, {1.1.1.2, 2}}, 100}]"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 7, Target: 0x1020, Method: ID{4, 1}}), "CommandRrq: 4128.GetState()"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 8, Target: 100, Method: MethodFindByRole, Count: SearchParams, Params: Search{"Delay", CompareStart, ClassDelay, 31}.Append(nil)}),
			`CommandRrq: 100.FindObjectsByRole("Delay", start, 1.1.1.7, 31)`},
		{transcript.FromServer, AppendResponses(nil, 1, Response{Handle: 8, Count: 1, Params: found}), `Response: 100.FindObjectsByRole = [{4129, {1.1.1.7, 2}, [], "", ""}, {0, {, 0}, [], "x", ""}]`},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Handle: 9, Target: 0x1021, Method: ID{4, 1}}), "CommandRrq: 4129.GetDelayTime()"},
		{transcript.FromServer, event2(Notification2{Event{0x1016, PropertyChanged}, 0, []byte{0, 4}}), "Notification2: 4118.PropertyChanged"},
		{transcript.FromServer, event2(Notification2{Event{0x1016, ID{4, 7}}, 0, []byte{1}}), "Notification2: 4118.4.7"},
		{transcript.FromClient, AppendCommands(nil, 1, true, Command{Target: 1, Method: ID{1, 5}}, Command{Target: 2, Method: ID{1, 5}}, Command{Target: 3, Method: ID{1, 5}},
			Command{Target: 4, Method: ID{1, 5}}, Command{Target: 5, Method: ID{1, 5}}), "CommandRrq x 5: 1.GetRole(); 2.GetRole(); 3.GetRole(); …"},
		{transcript.FromClient, AppendKeepAliveMillis(nil, 1, 1500*1e6), "KeepAlive 1.5s"},
		{transcript.FromServer, Message{Header{1, 0, 9, 1}, []byte{1, 2}}.Append(nil), "type 9"},
	} {
		frames := d.Feed(s.dir, s.wire)
		if len(frames) != 1 || frames[0].Summary != s.want || frames[0].Err != nil {
			t.Errorf("%+v, want %q", frames, s.want)
		}
	}
}

// Noise that comes in one piece is skipped up to the next message, past what only looks like one.
func TestDissectNoiseAtOnce(t *testing.T) {
	good := AppendKeepAlive(nil, 1, 1e9)
	looks := []byte{0x3b, 0, 1, 0, 0, 0, 1, 4, 0, 1} // smaller than a message can be
	for _, row := range []struct {
		name   string
		stream []byte
		bad    int
	}{
		{"in front", append([]byte("noise"), good...), 5},
		{"what looks like a message", append(append([]byte("x"), looks...), good...), 11},
		{"two that look like one", append(append(append([]byte{}, looks...), looks...), good...), 20},
		{"to the end", []byte("nothing but noise"), 17},
		{"with the sync byte at the end", append([]byte("noise"), Sync), 5},
	} {
		d := NewDissector()
		bad := 0
		for _, f := range d.Feed(transcript.FromClient, row.stream) {
			if f.Err != nil {
				bad += f.Length
			}
		}
		if bad != row.bad {
			t.Errorf("%s: %d bytes of noise, want %d", row.name, bad, row.bad)
		}
	}
}

// Bytes that are no message become frames with an error, and what follows is read again.
func TestDissectNoise(t *testing.T) {
	d := NewDissector()
	good := AppendKeepAlive(nil, 1, 1e9)
	stream := append(append([]byte("GET / HTTP/1.1\r\n"), good...), append([]byte{0x3b, 0, 1, 0, 0, 0, 1, 4, 0, 1}, good...)...)
	var frames []transcript.Frame
	for _, c := range stream {
		frames = append(frames, d.Feed(transcript.FromServer, []byte{c})...)
	}
	n, bad := 0, 0
	var at int64
	for _, f := range frames {
		if f.Offset != at {
			t.Fatalf("a frame at %d, expected at %d", f.Offset, at)
		}
		at += int64(f.Length)
		if f.Err == nil {
			n++
		} else {
			bad += f.Length
		}
	}
	if n != 2 || bad != 26 {
		t.Errorf("%d messages and %d bytes of noise, want 2 and 26", n, bad)
	}
	d.Feed(transcript.FromServer, good[:5])
	if rest := d.End(transcript.FromServer); len(rest) != 1 || !errors.Is(rest[0].Err, ErrShort) || rest[0].Length != 5 {
		t.Errorf("%+v", rest)
	}
	if rest := d.End(transcript.FromServer); rest != nil {
		t.Errorf("%+v after the end", rest)
	}
	lie := AppendResponses(nil, 1, Response{Handle: 3})
	lie[9] = 2
	if f := d.Feed(transcript.FromServer, lie); len(f) != 1 || !errors.Is(f[0].Err, ErrPDU) {
		t.Errorf("a count that lies: %+v", f)
	}
	if f := d.Feed(transcript.FromServer, Message{Header{1, 0, TypeKeepAlive, 1}, []byte{1, 2, 3}}.Append(nil)); len(f) != 1 || !errors.Is(f[0].Err, ErrPDU) {
		t.Errorf("a keep-alive of 3 bytes: %+v", f)
	}
}
