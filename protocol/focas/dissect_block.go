package focas

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// requests takes the blocks of a data request apart.
func (d *Dissector) requests(p fields, f Frame) {
	d.asked = d.asked[:0]
	blocks, err := RequestBlocks(f.Body)
	if err != nil {
		p.Err = err
		return
	}
	p.word("blocks", HeaderSize, "")
	var names []string
	at := HeaderSize + 2
	for i := 1; ; i++ {
		q, ok, err := blocks.NextRequest()
		if !ok {
			p.Err = err
			break
		}
		n := namesOf(i)
		blockHead(p, n, at, q.Class, q.Func)
		for k, a := range q.Args {
			p.put(n.arguments[k], at+8+4*k, 4, decimal(a), "")
		}
		p.word(n.flag, at+24, "")
		p.word(n.dataLength, at+26, "")
		if len(q.Data) > 0 {
			d.payload(p, n.data, nil, at+RequestBlockSize, q, q.Data, dataTexts)
		}
		names = append(names, q.Func.String()+trimZeros(q.Args))
		at += q.Size()
		q.Data = nil
		d.asked = append(d.asked, q)
	}
	p.Summary += ": " + strings.Join(names, ", ")
}

// replies takes the blocks of a data reply apart.
func (d *Dissector) replies(p fields, f Frame) {
	blocks, err := ReplyBlocks(f.Body)
	if err != nil {
		p.Err = err
		return
	}
	p.word("blocks", HeaderSize, "")
	var names []string
	at := HeaderSize + 2
	for i := 1; ; i++ {
		r, ok, err := blocks.NextReply()
		if !ok {
			p.Err = err
			break
		}
		n := namesOf(i)
		blockHead(p, n, at, r.Class, r.Func)
		p.put(n.code, at+8, 2, decimal(r.Code), r.Code.String())
		p.put(n.details[0], at+10, 2, decimal(r.Detail[0]), "")
		p.put(n.details[1], at+12, 2, decimal(r.Detail[1]), "")
		p.word(n.payloadLength, at+14, "")
		q := Request{Func: r.Func}
		if i <= len(d.asked) && d.asked[i-1].Func == r.Func {
			q = d.asked[i-1]
		}
		name := r.Func.String()
		if r.Code != 0 {
			name += " " + r.Code.String()
		}
		names = append(names, name)
		if len(r.Payload) > 0 {
			d.payload(p, n.payload, n.values, at+ReplyBlockSize, q, r.Payload, replyTexts)
		}
		at += r.Size()
	}
	p.Summary += ": " + strings.Join(names, ", ")
}

func blockHead(p fields, n *blockNames, at int, c Class, f Func) {
	p.word(n.size, at, "")
	p.put(n.class, at+2, 2, decimal(c), c.String())
	p.word(n.path, at+4, "")
	p.put(n.function, at+6, 2, hexWord(uint16(f)), f.String())
}

// trimZeros writes arguments as "[1,2]", without the zeros at the end; empty when all are.
func trimZeros(args [4]int32) string {
	n := len(args)
	for n > 0 && args[n-1] == 0 {
		n--
	}
	if n == 0 {
		return ""
	}
	b := append(make([]byte, 0, 48), '[')
	for i, a := range args[:n] {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(a), 10)
	}
	return string(append(b, ']'))
}

// payload names the bytes of a block when their layout is known and they fit it; else they are unknown. values are the names
// of the first values, as far as they are made already.
func (d *Dissector) payload(p fields, name string, values []string, at int, q Request, b []byte, texts map[Func]payloadText) {
	read := texts[q.Func]
	if read == nil {
		p.unknown(at, len(b))
		return
	}
	v, err := read(d.dialect, q, b)
	if err != nil {
		p.unknown(at, len(b))
		return
	}
	known := len(b) - restOf(v)
	if _, ok := v.(Values); ok {
		for i := 0; i+ValueSize <= known; i += ValueSize {
			n := i / ValueSize
			value := ""
			if n < len(values) {
				value = values[n]
			} else {
				value = valueName(name, n+1)
			}
			p.put(value, at+i, ValueSize, valueAt(b[i:]).String(), "")
		}
	} else {
		p.put(name, at, known, hex.EncodeToString(b[:min(known, 32)]), fmt.Sprintf("%+v", v))
	}
	p.unknown(at+known, len(b)-known)
}

// restOf is how many bytes at the end a payload's type keeps without knowing what they are: its field Rest.
func restOf(v any) int {
	if s := reflect.ValueOf(v); s.Kind() == reflect.Struct {
		if rest := s.FieldByName("Rest"); rest.IsValid() && rest.Kind() == reflect.Slice {
			return rest.Len()
		}
	}
	return 0
}
