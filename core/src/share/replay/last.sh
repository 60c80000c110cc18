ip netns exec "$from" python3 "$work/send.py" "$work/packet.json"
# What goes round by lo takes a moment.
sleep 1
all_counted > "$work/unsorted"
sort "$work/unsorted" > "$work/counted"
