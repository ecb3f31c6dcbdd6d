#!/bin/sh
# Runs in the new root: $1 what to enable, $2 what to mask.
set -eu
rm -f "$0" /etc/ssh/ssh_host_* /etc/resolv.conf
echo debian >/etc/hostname
# With a machine id that is there already no boot is a first one; the guests share no network.
echo 5e5c0e0000004deb8000000000000012 >/etc/machine-id
# cloud-init doubles a boot's time and is only for copies of the disks that stand for a user's cloud image.
touch /etc/cloud/cloud-init.disabled
systemctl --root=/ --quiet set-default multi-user.target
systemctl --root=/ --quiet enable $1
systemctl --root=/ --quiet mask $2
# A second initramfs, for the disk whose root file system lies on volumes.
VOLUMES=yes mkinitramfs -o /boot/volumes.img "$(basename /lib/modules/*)"
