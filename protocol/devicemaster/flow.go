package devicemaster

// Window is how many bytes of one direction of a port may be unacknowledged. The maker's driver takes a device to hold
// [DeviceBuffer].
const Window = 1999

// DeviceBuffer is how many bytes a device is taken to hold for one direction of a port, by the maker's driver.
const DeviceBuffer = 2000

// MaxBlock is the largest block of data that is sent by this project. The maker's Linux driver keeps a burst within 1400
// bytes; a device may send up to [DeviceBuffer] (inferred from the driver's buffer).
const MaxBlock = 1024

// Flow is the sender's count of one direction of a port: what it has sent and what the receiver has consumed, both modulo
// 65536. The zero value is a port that was just opened.
type Flow struct{ put, acked uint16 }

// Outstanding is how many bytes were sent and not yet acknowledged, 0 to [DeviceBuffer].
func (f *Flow) Outstanding() int { return int(f.put - f.acked) }

// Room is how many bytes may be sent now.
func (f *Flow) Room() int { return max(0, Window-f.Outstanding()) }

// Sent counts n bytes that were sent; n must not exceed Room.
func (f *Flow) Sent(n int) { f.put += uint16(n) }

// Put is the count of bytes that were sent.
func (f *Flow) Put() uint16 { return f.put }

// Ack takes the receiver's total. A total that no sender in step can get (ahead of what was sent, or more than
// [DeviceBuffer] behind) makes the count start again from it, as the maker's driver does; lost is then how many bytes were
// outstanding, whose fate nobody knows, and ok is false.
func (f *Flow) Ack(total uint16) (lost int, ok bool) {
	if behind := int16(f.put - total); behind < 0 || behind > DeviceBuffer {
		lost = f.Outstanding()
		f.put, f.acked = total, total
		return lost, false
	}
	f.acked = total
	return 0, true
}
