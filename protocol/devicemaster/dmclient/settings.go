package dmclient

import "github.com/patchbay-io/patchbay/protocol/devicemaster"

// Settings of a port. A zero number and a nil pointer leave a setting as it is.
type Settings struct {
	Baud    uint32 // bits per second
	Line    *devicemaster.LineSettings
	Mode    devicemaster.Mode
	Outputs *devicemaster.Outputs
	Chars   *devicemaster.Chars
	Idle    *uint32 // ms of silence after which the box tells [Event.Idle]; 0 is never
}

// with is s changed by what o names.
func (s Settings) with(o Settings) Settings {
	if o.Baud != 0 {
		s.Baud = o.Baud
	}
	if o.Line != nil {
		s.Line = o.Line
	}
	if o.Mode != 0 {
		s.Mode = o.Mode
	}
	if o.Outputs != nil {
		s.Outputs = o.Outputs
	}
	if o.Chars != nil {
		s.Chars = o.Chars
	}
	if o.Idle != nil {
		s.Idle = o.Idle
	}
	return s
}

// append appends the settings in the order of the maker's Linux driver.
func (s Settings) append(b []byte) []byte {
	if s.Mode != 0 {
		b = devicemaster.AppendMode(b, s.Mode)
	}
	if s.Baud != 0 {
		b = devicemaster.AppendBaud(b, s.Baud)
	}
	if s.Chars != nil {
		b = devicemaster.AppendChars(b, *s.Chars)
	}
	if s.Line != nil {
		b = devicemaster.AppendLine(b, *s.Line)
	}
	if s.Outputs != nil {
		b = devicemaster.AppendOutputs(b, *s.Outputs)
	}
	if s.Idle != nil {
		b = devicemaster.AppendIdleTimeout(b, *s.Idle)
	}
	return b
}

// Settings are those that were put into force; what was never set is zero.
func (p *Port) Settings() Settings {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.settings
}

// Set puts settings into force. The protocol has no answer to them; [Link.Sync] tells when the box has them.
func (p *Port) Set(s Settings) error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.set(s)
}

// set is Set with mu held.
func (p *Port) set(s Settings) error {
	l := p.l
	if p.over != nil {
		return p.fail("set", p.over)
	}
	l.selectPort(p.number)
	l.out = s.append(l.out)
	p.settings = p.settings.with(s)
	l.flush()
	l.changed()
	return nil
}

// SetOutputs turns outputs on and off and leaves the others as they are; those that were never set are off then.
func (p *Port) SetOutputs(on, off devicemaster.Outputs) error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	var o devicemaster.Outputs
	if p.settings.Outputs != nil {
		o = *p.settings.Outputs
	}
	o = o&^off | on
	return p.set(Settings{Outputs: &o})
}
