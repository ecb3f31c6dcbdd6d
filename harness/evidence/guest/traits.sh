# Prints what the kernel, the firmware and the devices say of themselves beside what tells them apart.
# A line is a file's name and its first line: built-ins only, for there are many files.
# A link that has just come up is waited for; one that stays down costs three seconds.
wait_for_carriers() {
    round=0
    while [ $round -lt 30 ]; do
        round=$((round + 1))
        down=
        for file in /sys/class/net/*/carrier; do
            [ -e "${file%carrier}device" ] && read -r value <"$file" && [ "$value" = 0 ] && down=yes
        done
        [ "$down" ] || return
        sleep 0.1
    done
}

traits() {
    wait_for_carriers
    for file in /sys/block/*/queue/physical_block_size /sys/block/*/queue/rotational /sys/block/*/queue/write_cache \
        /sys/block/*/queue/discard_max_bytes /sys/bus/pci/devices/*/virtio*/features \
        /sys/class/net/*/mtu /sys/class/net/*/carrier /sys/class/tpm/tpm*/pcr-sha256/*; do
        [ -e "$file" ] && read -r value <"$file" && echo "$file $value"
    done
    for block in $blocks; do
        set -- "$block"/mq/*
        [ -e "$1" ] && echo "$block/mq $#"
    done
    while read -r name value unit; do
        [ "$name" = MemTotal: ] && echo "MemTotal $value"
    done </proc/meminfo
    md5sum /sys/firmware/acpi/tables/[A-Z]*
    dmesg | grep 'I/O error'
}

trait_bytes() {
    echo
    head -v -c 256 /sys/bus/pci/devices/*/config
    echo
    head -v -c 65536 /sys/firmware/dmi/tables/DMI
}
