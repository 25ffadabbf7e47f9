package is12

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// vectors were exchanged with AMWA's mock of a device.
var vectors = []struct {
	name, wire string
	want       Message
}{
	{"get", `{"messageType":0,"commands":[{"handle":1,"oid":1,"methodId":{"level":1,"index":1},"arguments":{"id":{"level":1,"index":1}}}]}`,
		Message{Type: TypeCommand, Commands: []Command{{1, 1, MethodGet, json.RawMessage(`{"id":{"level":1,"index":1}}`)}}}},
	{"its answer", `{"messageType":1,"responses":[{"handle":1,"result":{"status":200,"value":[1,1]}}]}`,
		Message{Type: TypeCommandResponse, Responses: []Response{{1, Result{Status: StatusOk, Value: json.RawMessage(`[1,1]`)}}}}},
	{"subscribe", `{"messageType":3,"subscriptions":[1]}`, Message{Type: TypeSubscription, Subscriptions: []uint32{1}}},
	{"its answer", `{"messageType":4,"subscriptions":[1]}`, Message{Type: TypeSubscriptionResponse, Subscriptions: []uint32{1}}},
	{"notification", `{"messageType":2,"notifications":[{"oid":1,"eventId":{"level":1,"index":1},"eventData":{"propertyId":{"level":1,"index":6},"changeType":0,"value":"hello","sequenceItemIndex":null}}]}`,
		Message{Type: TypeNotification, Notifications: []Notification{{1, PropertyChanged, EventData{PropertyUserLabel, ValueChanged, json.RawMessage(`"hello"`), nil}}}}},
	{"done", `{"messageType":1,"responses":[{"handle":3,"result":{"status":200}}]}`,
		Message{Type: TypeCommandResponse, Responses: []Response{{3, Result{Status: StatusOk}}}}},
	{"error", `{"messageType":5,"status":400,"errorMessage":"bad"}`, Message{Type: TypeError, Status: StatusBadCommandFormat, ErrorMessage: "bad"}},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		m, err := Parse([]byte(v.wire), 0)
		if err != nil || !reflect.DeepEqual(m, v.want) {
			t.Errorf("%s: %+v, %v", v.name, m, err)
		}
		if b, err := v.want.Marshal(); err != nil || string(b) != v.wire {
			t.Errorf("%s: %s, %v", v.name, b, err)
		}
	}
}

func TestBadFrames(t *testing.T) {
	for _, s := range []string{``, `{bad json`, `[]`, `{}`, `{"messageType":6}`, `{"messageType":-1}`, `{"messageType":300}`, `{"messageType":"0"}`, `{"messageType":0}`,
		`{"messageType":1}`, `{"messageType":2}`, `{"messageType":3}`, `{"messageType":4}`, `{"messageType":5}`, `{"messageType":1,"responses":[{"handle":65536}]}`,
		`{"messageType":3,"subscriptions":[-1]}`, `{"messageType":3,"subscriptions":[4294967296]}`, strings.Repeat(`[`, 20_000)} {
		if m, err := Parse([]byte(s), 0); !errors.Is(err, ErrJSON) {
			t.Errorf("%.60s: %+v, %v", s, m, err)
		}
	}
	wire := []byte(vectors[0].wire)
	if _, err := Parse(wire, len(wire)-1); !errors.Is(err, ErrTooLong) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := Parse(wire, len(wire)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	for typ, want := range map[Type]string{TypeCommand: `{"messageType":0,"commands":[]}`, TypeCommandResponse: `{"messageType":1,"responses":[]}`,
		TypeNotification: `{"messageType":2,"notifications":[]}`, TypeSubscription: `{"messageType":3,"subscriptions":[]}`, TypeSubscriptionResponse: `{"messageType":4,"subscriptions":[]}`} {
		b, err := Message{Type: typ}.Marshal()
		if _, perr := Parse(b, 0); string(b) != want || err != nil || perr != nil {
			t.Errorf("%s, %v, %v", b, err, perr)
		}
	}
	mine := []Command{{Handle: 1, Oid: 2}}
	if b, _ := (Message{Type: TypeCommand, Commands: mine}).Marshal(); !strings.Contains(string(b), `"arguments":{}`) || mine[0].Arguments != nil {
		t.Errorf("%s, and the caller's command is %+v", b, mine[0])
	}
}

func TestTexts(t *testing.T) {
	err := &Error{Oid: 5, Method: MethodSet, Status: StatusReadonly, Message: "no"}
	if got, want := err.Error(), "object 5, method 1.2: Readonly (405): no"; got != want || !errors.Is(err, &Error{Status: StatusReadonly}) || errors.Is(err, &Error{Status: StatusLocked}) {
		t.Errorf("%q", got)
	}
	if got := (&Error{Status: StatusBadCommandFormat}).Error(); got != "BadCommandFormat (400)" {
		t.Errorf("%q", got)
	}
	if Status(7).String() != "status 7" || Type(9).String() != "type 9" || TypeError.String() != "Error" || !StatusMethodDeprecated.OK() || StatusBadOid.OK() {
		t.Error("texts or OK are wrong")
	}
	c := ClassID{1, 3, 1}
	if c.String() != "1.3.1" || !c.IsA(ClassManager) || !c.IsA(c) || ClassManager.IsA(c) {
		t.Error("class ids are wrong")
	}
}

// FuzzParse: what parses is the same when it is written and read again.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b, 0)
		if err != nil {
			return
		}
		again, err := m.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		n, err := Parse(again, 0)
		if err != nil {
			t.Fatalf("%s became %s: %v", b, again, err)
		}
		once, _ := n.Marshal()
		if string(once) != string(again) {
			t.Fatalf("%s became %s and then %s", b, again, once)
		}
	})
}

// A list of empty items would take fifty times the memory of its frame.
func TestListWithoutAnEnd(t *testing.T) {
	for n, want := range map[int]error{MaxItems: nil, MaxItems + 1: ErrTooMany} {
		m, err := Parse([]byte(`{"messageType":1,"responses":[`+strings.Repeat("{},", n-1)+`{}]}`), 0)
		if !errors.Is(err, want) || err == nil && len(m.Responses) != n {
			t.Errorf("%d items: %v, %d are read", n, err, len(m.Responses))
		}
	}
	for _, bad := range []string{`{"messageType":1,"responses":{}}`, `{"messageType":1,"responses":[1]}`, `{"messageType":3,"subscriptions":"x"}`, `{"messageType":1,"responses":null}`} {
		if m, err := Parse([]byte(bad), 0); !errors.Is(err, ErrJSON) {
			t.Errorf("%s: %+v, %v", bad, m, err)
		}
	}
}
