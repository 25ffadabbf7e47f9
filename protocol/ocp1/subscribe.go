package ocp1

// The methods of OcaSubscriptionManager that matter.
var (
	MethodAddSubscription     = ID{3, 1} // EV1
	MethodRemoveSubscription  = ID{3, 2}
	MethodAddSubscription2    = ID{3, 8} // EV2
	MethodRemoveSubscription2 = ID{3, 9}
)

// The ways of delivery (OcaNotificationDeliveryMode).
const (
	DeliveryNormal      = 1 // over this connection
	DeliveryLightweight = 2 // to a network address; nothing known uses it
)

// Subscription is what AddSubscription (EV1) asks for. Context and Destination are not copied.
type Subscription struct {
	Event       Event
	Subscriber  Method // what the notification is addressed to
	Context     []byte // handed back with each event
	Delivery    uint8
	Destination []byte
}

// SubscriptionParams is how many parameters [Subscription.Append] appends.
const SubscriptionParams = 5

// Append appends the parameters of AddSubscription.
func (s Subscription) Append(b []byte) []byte {
	b = AppendMethod(AppendEvent(b, s.Event), s.Subscriber)
	b = append(AppendBlob(b, s.Context), s.Delivery)
	return AppendBlob(b, s.Destination)
}

// ParseSubscription reads the parameters of AddSubscription.
func ParseSubscription(b []byte) (Subscription, error) {
	p := NewParams("AddSubscription", b)
	s := Subscription{Event: p.Event("Event"), Subscriber: p.Method("Subscriber"), Context: p.Blob("SubscriberContext"),
		Delivery: p.U8("NotificationDeliveryMode"), Destination: p.Blob("DestinationInformation")}
	return s, p.End()
}

// Subscription2 is what AddSubscription2 (EV2) asks for. Destination is not copied.
type Subscription2 struct {
	Event       Event
	Delivery    uint8
	Destination []byte
}

// Subscription2Params is how many parameters [Subscription2.Append] appends.
const Subscription2Params = 3

// Append appends the parameters of AddSubscription2.
func (s Subscription2) Append(b []byte) []byte {
	return AppendBlob(append(AppendEvent(b, s.Event), s.Delivery), s.Destination)
}

// ParseSubscription2 reads the parameters of AddSubscription2.
func ParseSubscription2(b []byte) (Subscription2, error) {
	p := NewParams("AddSubscription2", b)
	s := Subscription2{Event: p.Event("Event"), Delivery: p.U8("NotificationDeliveryMode"), Destination: p.Blob("DestinationInformation")}
	return s, p.End()
}

// SubscriberMethod is the method that AES70.js, and so Focusrite's phone app, names as its subscriber. A server only hands it back.
var SubscriberMethod = Method{ONo: 1055, ID: ID{1, 1}}
