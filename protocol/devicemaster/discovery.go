package devicemaster

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/patchbay-io/patchbay/wire"
)

// discoveryMagic begins every discovery datagram.
var discoveryMagic = [8]byte{0xa9, 0x8d, 0xfd, 0x53, 0x7a, 0x1c, 0xb0, 0xde}

// DiscoveryHeaderSize is the size of what comes before the tags.
const DiscoveryHeaderSize = 14

// scanSize is the size of a request, padded with zeros.
const scanSize = 32

// DiscoveryFunction is what a datagram is.
type DiscoveryFunction uint16

// The functions that were seen.
const (
	DiscoveryScan     DiscoveryFunction = 0x000c // who is there? With [TagMAC] only that box answers.
	DiscoveryResponse DiscoveryFunction = 0x0002
)

// String is the name, or the number when there is none.
func (f DiscoveryFunction) String() string {
	switch f {
	case DiscoveryScan:
		return "scan"
	case DiscoveryResponse:
		return "response"
	}
	return fmt.Sprintf("function(%#04x)", uint16(f))
}

// The tags whose meaning is known or can be told from a recorded response.
const (
	TagVendor       = 0x12
	TagProduct      = 0x13
	TagFirmware     = 0x14
	TagMAC          = 0x16
	TagStaticIP     = 0x17
	TagStaticMask   = 0x18
	TagStaticGW     = 0x19
	TagDHCP         = 0x1a // 1: the address comes from DHCP
	TagIP           = 0x1c
	TagMask         = 0x1d
	TagGateway      = 0x1e
	TagIPv6         = 0x28
	TagIPv6Prefix   = 0x29
	TagIPv6GW       = 0x2a
	TagArchitecture = 0x2b
	TagModel        = 0x2c // u32 big-endian
	TagPorts        = 0x2f
	TagBoot         = 0x37 // version of the boot loader, as text
)

// tagInfo is what is known of a tag.
type tagInfo struct {
	name, grade string
}

var tagInfos = map[uint8]tagInfo{
	TagVendor: {"vendor", gradeInferred}, TagProduct: {"product", gradeInferred}, TagFirmware: {"firmware", gradeSeen}, TagMAC: {"mac", gradeSeen},
	TagStaticIP: {"static address", gradeSeen}, TagStaticMask: {"static mask", gradeSeen}, TagStaticGW: {"static gateway", gradeSeen},
	TagDHCP: {"dhcp", gradeSeen}, TagIP: {"address", gradeSeen}, TagMask: {"mask", gradeSeen}, TagGateway: {"gateway", gradeSeen},
	TagIPv6: {"ipv6 static address", gradeInferred}, TagIPv6Prefix: {"ipv6 static prefix", gradeInferred}, TagIPv6GW: {"ipv6 static gateway", gradeInferred},
	0x33: {"ipv6 address", gradeInferred}, 0x34: {"ipv6 prefix", gradeInferred}, 0x35: {"ipv6 gateway", gradeInferred},
	TagArchitecture: {"architecture", gradeInferred}, TagModel: {"model", gradeInferred}, TagPorts: {"ports", gradeInferred},
	TagBoot: {"boot loader", gradeInferred}, 0x10: {"device name", gradeGuess}, 0x30: {"application", gradeGuess}, 0x32: {"program", gradeGuess},
}

// TagName is the name of a tag of a discovery response; empty when it is unknown.
func TagName(tag uint8) string { return tagInfos[tag].name }

// Discovery is one datagram of the discovery: 8 bytes of magic, 2 unknown, sequence and function (u16 little-endian each),
// then tags.
type Discovery struct {
	Unknown  [2]byte // zero in every datagram that was seen
	Seq      uint16  // a response carries that of its request (inferred)
	Function DiscoveryFunction
	Tags     []TLV
	Rest     []byte // what follows the tags: the padding of a request, or bytes that are no tags
}

// ParseDiscovery reads a datagram. Tags and Rest alias b. Only the magic and the header are checked: what comes behind is
// kept whatever it is.
func ParseDiscovery(b []byte) (Discovery, error) {
	var d Discovery
	if !bytes.HasPrefix(b, discoveryMagic[:]) {
		return d, ErrNotDiscovery
	}
	if len(b) < DiscoveryHeaderSize {
		return d, fmt.Errorf("discovery datagram of %d bytes: %w", len(b), ErrShort)
	}
	copy(d.Unknown[:], b[8:])
	d.Seq = binary.LittleEndian.Uint16(b[10:])
	d.Function = DiscoveryFunction(binary.LittleEndian.Uint16(b[12:]))
	d.Tags, d.Rest = discoveryTags(b[DiscoveryHeaderSize:])
	return d, nil
}

// discoveryTags reads tags up to a tag 0 (inferred: requests are padded with zeros) or to where they stop making sense.
func discoveryTags(b []byte) (tags []TLV, rest []byte) {
	for len(b) >= 2 && b[0] != 0 && len(b) >= 2+int(b[1]) {
		n := 2 + int(b[1])
		tags = append(tags, TLV{b[0], b[2:n:n]})
		b = b[n:]
	}
	return tags, b
}

// Append appends the datagram; a parsed one gives the bytes that it was parsed from.
func (d *Discovery) Append(b []byte) []byte {
	b = append(append(b, discoveryMagic[:]...), d.Unknown[:]...)
	b = binary.LittleEndian.AppendUint16(b, d.Seq)
	b = binary.LittleEndian.AppendUint16(b, uint16(d.Function))
	return append(appendTLVs(b, d.Tags), d.Rest...)
}

// AppendScan appends a request to all boxes.
func AppendScan(b []byte, seq uint16) []byte { return appendScan(b, seq, nil) }

// AppendRefresh appends a request to one box.
func AppendRefresh(b []byte, seq uint16, mac MAC) []byte {
	return appendScan(b, seq, []TLV{{TagMAC, mac[:]}})
}

func appendScan(b []byte, seq uint16, tags []TLV) []byte {
	at := len(b)
	b = (&Discovery{Seq: seq, Function: DiscoveryScan, Tags: tags}).Append(b)
	return wire.AppendZero(b, scanSize-(len(b)-at))
}

// Tag is the value of the first tag of this number.
func (d *Discovery) Tag(tag uint8) ([]byte, bool) {
	for _, t := range d.Tags {
		if t.Tag == tag {
			return t.Value, true
		}
	}
	return nil, false
}

// Text is a tag as text; empty when it is absent.
func (d *Discovery) Text(tag uint8) string {
	v, _ := d.Tag(tag)
	return wire.Text(v)
}

// MAC is the address of the box that answers or is asked.
func (d *Discovery) MAC() (m MAC, ok bool) {
	v, ok := d.Tag(TagMAC)
	return m, ok && copy(m[:], v) == len(m)
}

// IPv4 is a tag that holds an address.
func (d *Discovery) IPv4(tag uint8) (a IPv4, ok bool) {
	v, ok := d.Tag(tag)
	return a, ok && copy(a[:], v) == len(a)
}

// Uint is a tag of 1 to 4 bytes as a number, big-endian.
func (d *Discovery) Uint(tag uint8) (n uint32, ok bool) {
	v, ok := d.Tag(tag)
	if !ok || len(v) == 0 || len(v) > 4 {
		return 0, false
	}
	for _, c := range v {
		n = n<<8 | uint32(c)
	}
	return n, true
}

// ResponseTags are the tags of a discovery response for a box, in the order in which the recorded box gave them.
func ResponseTags(r *IDResponse) []TLV {
	model := binary.BigEndian.AppendUint32(nil, r.Model)
	zeros := func() []byte { return make([]byte, 16) }
	return []TLV{{TagMAC, r.MAC[:]}, {0x10, nil}, {TagArchitecture, []byte{r.Architecture}}, {TagModel, model}, {TagPorts, []byte{r.Ports}},
		{0x30, []byte{0xff}}, {0x32, []byte{byte(r.Program)}}, {0x2d, []byte{0x01}}, {0x2e, []byte{0x2d}},
		{TagVendor, []byte("Comtrol")}, {TagProduct, []byte("DeviceMaster")}, {TagFirmware, []byte(r.FirmwareText())}, {0x23, nil},
		{TagDHCP, []byte{1}}, {0x1b, []byte{0}}, {0x36, []byte{1}},
		{TagStaticIP, make([]byte, 4)}, {TagStaticMask, r.Mask[:]}, {TagStaticGW, r.Gateway[:]},
		{TagIP, r.IP[:]}, {TagMask, r.Mask[:]}, {TagGateway, r.Gateway[:]},
		{0x27, []byte{0}}, {TagIPv6, zeros()}, {TagIPv6GW, zeros()}, {TagIPv6Prefix, []byte{0}}, {0x33, zeros()}, {0x34, []byte{0}}, {0x35, zeros()},
		{TagBoot, []byte("4.31")}}
}
