// Package vectors holds the exchanges that were measured between FANUC's own client library and a scratch responder on
// loopback, for tests: what the library sent, what the responder answered, and what the library then returned. The
// values in the answers are made up, their layout is measured. Product code never imports it.
package vectors

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

//go:embed focas-vectors.json
var file []byte

// Step is one frame of an exchange.
type Step struct {
	Channel int  // 1 or 2
	Request bool // sent by the library
	Frame   []byte
}

// Vector is one call of the library.
type Vector struct {
	Index   int    // place in the file, from 0
	Call    string // FOCAS name; several are joined by +
	Args    map[string]any
	Classic bool   // dialect of the answers
	Version uint16 // version word of the answers
	Code    int    // what the call returned
	Detail  []int16
	Decoded map[string]any // fields of what the call gave, as the library names them
	Note    string
	Steps   []Step
}

// Name is unique among the vectors and fit for a subtest.
func (v Vector) Name() string {
	d := "30i"
	if v.Classic {
		d = "classic"
	}
	return fmt.Sprintf("%03d-%s-%s", v.Index, v.Call, d)
}

// Requests are the frames that the library sent on a channel, in order.
func (v Vector) Requests(channel int) [][]byte {
	var out [][]byte
	for _, s := range v.Steps {
		if s.Request && s.Channel == channel {
			out = append(out, s.Frame)
		}
	}
	return out
}

// Int is an argument that is a number; 0 when it is missing.
func (v Vector) Int(arg string) int32 {
	f, _ := v.Args[arg].(float64)
	return int32(f)
}

// Text is an argument that is a string; empty when it is missing.
func (v Vector) Text(arg string) string {
	s, _ := v.Args[arg].(string)
	return s
}

// Load reads all exchanges.
func Load() ([]Vector, error) {
	var doc struct {
		Vectors []struct {
			Call, Dialect, Note string
			Args, Decoded       map[string]any
			Version             uint16 `json:"reply_version"`
			Code                int    `json:"return_code"`
			Detail              []int16
			Request             string `json:"request_hex"`
			Response            string `json:"response_hex"`
			Exchange            []struct {
				Socket   int
				Dir, Hex string
			}
		}
	}
	if err := json.Unmarshal(file, &doc); err != nil {
		return nil, fmt.Errorf("focas-vectors.json: %w", err)
	}
	out := make([]Vector, 0, len(doc.Vectors))
	for i, in := range doc.Vectors {
		v := Vector{Index: i, Call: in.Call, Args: in.Args, Classic: in.Dialect == "classic", Version: in.Version,
			Code: in.Code, Detail: in.Detail, Decoded: in.Decoded, Note: in.Note}
		add := func(channel int, request bool, h string) error {
			b, err := hex.DecodeString(h)
			if err != nil {
				return fmt.Errorf("focas-vectors.json: vector %d: %w", i, err)
			}
			v.Steps = append(v.Steps, Step{channel, request, b})
			return nil
		}
		if len(in.Exchange) == 0 {
			if err := add(2, true, in.Request); err != nil {
				return nil, err
			}
			if err := add(2, false, in.Response); err != nil {
				return nil, err
			}
		}
		for _, s := range in.Exchange {
			if err := add(s.Socket, s.Dir == "request", s.Hex); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// FirstRequest is the first block that a function of the library sends when it is called with small generic arguments: 1
// for numbers, a buffer for pointers.
type FirstRequest struct {
	Class uint16
	Func  uint16
	Args  [5]int32 // the fifth word is flag and data length
}

// FirstRequests are the first blocks by FOCAS name, of the calls that send a data frame in this dialect.
func FirstRequests(classic bool) (map[string]FirstRequest, error) {
	type block struct {
		Class uint16
		Code  string
		Args  []int32
	}
	var doc struct {
		Codes struct {
			Functions map[string]map[string][]block
		} `json:"function_codes"`
	}
	if err := json.Unmarshal(file, &doc); err != nil {
		return nil, fmt.Errorf("focas-vectors.json: %w", err)
	}
	dialect := "30i"
	if classic {
		dialect = "classic"
	}
	out := map[string]FirstRequest{}
	for name, f := range doc.Codes.Functions {
		if len(f[dialect]) == 0 || f[dialect][0].Code == "" {
			continue
		}
		b := f[dialect][0]
		r := FirstRequest{Class: b.Class}
		if _, err := fmt.Sscanf(b.Code, "0x%x", &r.Func); err != nil || len(b.Args) > len(r.Args) {
			return nil, fmt.Errorf("focas-vectors.json: %s: code %q with %d words", name, b.Code, len(b.Args))
		}
		copy(r.Args[:], b.Args)
		out[name] = r
	}
	return out, nil
}
