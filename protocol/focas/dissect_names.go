package focas

import (
	"strconv"
	"sync"
)

// blockNames are the names of the fields of one block. They are kept because writing them anew for each frame takes longer than
// everything else that is done with it.
type blockNames struct {
	size, class, path, function  string
	flag, dataLength, data       string // of a request
	code, payloadLength, payload string // of a reply
	arguments                    [4]string
	details                      [2]string
	values                       []string // of a payload of values, the first ones
}

// Blocks and values behind these are rare, and get their names when they come.
const (
	madeBlocks = 64
	madeValues = 32
)

// madeNames are the names of the first blocks. They are made once, when the first block is taken apart, and never changed.
var madeNames = sync.OnceValue(func() *[madeBlocks]blockNames {
	var all [madeBlocks]blockNames
	for i := range all {
		all[i] = newBlockNames(i + 1)
		for k := range madeValues {
			all[i].values = append(all[i].values, valueName(all[i].payload, k+1))
		}
	}
	return &all
})

// namesOf are the names of block i, which counts from 1.
func namesOf(i int) *blockNames {
	if i <= madeBlocks {
		return &madeNames()[i-1]
	}
	n := newBlockNames(i)
	return &n
}

func newBlockNames(i int) blockNames {
	pre := "block " + strconv.Itoa(i) + "."
	return blockNames{
		size: pre + "size", class: pre + "class", path: pre + "path", function: pre + "function",
		flag: pre + "flag", dataLength: pre + "data length", data: pre + "data",
		code: pre + "code", payloadLength: pre + "payload length", payload: pre + "payload",
		arguments: [4]string{pre + "argument 1", pre + "argument 2", pre + "argument 3", pre + "argument 4"},
		details:   [2]string{pre + "detail 1", pre + "detail 2"},
	}
}

func valueName(payload string, n int) string { return payload + ".value " + strconv.Itoa(n) }

// fieldsOf is about how many fields a frame has, at most one for each two bytes.
func fieldsOf(f Frame) int {
	const head = 6
	if f.Type != TypeData || len(f.Body) < 2 {
		return head + 4
	}
	blocks, body := int(u16(f.Body)), len(f.Body)-2
	if f.Dir == DirRequest {
		return head + 10*min(blocks, body/RequestBlockSize)
	}
	blocks = min(blocks, body/ReplyBlockSize)
	return head + 8*blocks + max((body-ReplyBlockSize*blocks)/ValueSize, blocks)
}

func decimal[T ~uint8 | ~uint16 | ~int16 | ~int32](v T) string { return strconv.Itoa(int(v)) }

// hexWord is a word as 0x and four digits.
func hexWord(v uint16) string {
	const digits = "0123456789abcdef"
	return string([]byte{'0', 'x', digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15]})
}
