package focas

import (
	"fmt"
	"reflect"
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
		pre := fmt.Sprintf("block %d.", i)
		blockHead(p, pre, at, q.Class, q.Func)
		for k, a := range q.Args {
			p.put(fmt.Sprintf("%sargument %d", pre, k+1), at+8+4*k, 4, fmt.Sprint(a), "")
		}
		p.word(pre+"flag", at+24, "")
		p.word(pre+"data length", at+26, "")
		if len(q.Data) > 0 {
			d.payload(p, pre+"data", at+RequestBlockSize, q, q.Data, dataTexts)
		}
		names = append(names, fmt.Sprintf("%v%v", q.Func, trimZeros(q.Args)))
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
		pre := fmt.Sprintf("block %d.", i)
		blockHead(p, pre, at, r.Class, r.Func)
		p.put(pre+"code", at+8, 2, fmt.Sprint(uint16(r.Code)), r.Code.String())
		p.put(pre+"detail 1", at+10, 2, fmt.Sprint(r.Detail[0]), "")
		p.put(pre+"detail 2", at+12, 2, fmt.Sprint(r.Detail[1]), "")
		p.word(pre+"payload length", at+14, "")
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
			d.payload(p, pre+"payload", at+ReplyBlockSize, q, r.Payload, replyTexts)
		}
		at += r.Size()
	}
	p.Summary += ": " + strings.Join(names, ", ")
}

func blockHead(p fields, pre string, at int, c Class, f Func) {
	p.word(pre+"size", at, "")
	p.put(pre+"class", at+2, 2, fmt.Sprint(uint16(c)), c.String())
	p.word(pre+"path", at+4, "")
	p.put(pre+"function", at+6, 2, fmt.Sprintf("%#04x", uint16(f)), f.String())
}

func trimZeros(args [4]int32) string {
	n := len(args)
	for n > 0 && args[n-1] == 0 {
		n--
	}
	if n == 0 {
		return ""
	}
	return strings.ReplaceAll(fmt.Sprint(args[:n]), " ", ",")
}

// payload names the bytes of a block when their layout is known and they fit it; else they are unknown.
func (d *Dissector) payload(p fields, name string, at int, q Request, b []byte, texts map[Func]payloadText) {
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
			p.put(fmt.Sprintf("%s.value %d", name, i/ValueSize+1), at+i, ValueSize, valueAt(b[i:]).String(), "")
		}
	} else {
		p.put(name, at, known, fmt.Sprintf("%x", b[:min(known, 32)]), fmt.Sprintf("%+v", v))
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
